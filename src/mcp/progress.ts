import type { Clock } from '../clock.ts'
import type { Params } from '../rpc/messages.ts'
import type { ToolProgress } from './tool-service.ts'

/** At most two notifications a second, except the first and the last. */
const pauseMs = 500

/**
 * Progress of one request: sent only where the client gave a token, strictly rising, the first report at once and the
 * last one just before the result. `finish` sends it; nothing is sent afterwards.
 */
export const createProgress = (
  token: unknown,
  send: (params: Params) => void,
  clock: Clock,
  withMessages: boolean,
): { report: ToolProgress; finish: () => void } => {
  if (typeof token !== 'string' && !Number.isInteger(token)) return { report: () => {}, finish: () => {} }
  let sent: { progress: number; atMs: number } | undefined
  let latest: Parameters<ToolProgress>[0] | undefined
  let finished = false
  const emit = () => {
    if (!latest) return
    const { message, total } = latest
    // Azure's percentages stand still and even fall; what is told must rise.
    const progress = sent && latest.progress <= sent.progress ? sent.progress + 0.001 : latest.progress
    sent = { progress, atMs: clock.monotonic() }
    send({
      progressToken: token,
      progress,
      ...(total === undefined ? {} : { total: Math.max(total, progress) }),
      ...(message === undefined || !withMessages ? {} : { message }),
    })
  }
  return {
    report: next => {
      if (finished) return
      latest = next
      if (!sent || clock.monotonic() - sent.atMs >= pauseMs) emit()
    },
    finish: () => {
      if (!finished) emit()
      finished = true
    },
  }
}
