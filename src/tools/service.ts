/**
 * The tools as the protocol sees them. Listing needs the configuration only; what a call needs is loaded when the first
 * one comes.
 */
import type { LoadedConfig } from '../config/types.ts'
import type { ToolName } from '../generated/tools.ts'
import type { ToolAnswer, ToolCall, ToolService } from '../mcp/tool-service.ts'
import { Problem } from '../problem.ts'
import { RpcError, rpcCodes } from '../rpc/errors.ts'
import { faultyConfiguration, findTool, hiddenBecause, listText } from './catalog.ts'

/** What runs a tool that is served, with arguments nobody has looked at yet. */
export interface ToolRunner {
  run(name: ToolName, call: ToolCall): Promise<ToolAnswer>
  /** Keeps what has to be kept beyond the process. */
  close(): Promise<void>
}

export const createToolService = (
  config: () => Promise<LoadedConfig>,
  runner: (loaded: LoadedConfig) => Promise<ToolRunner>,
): ToolService => ({
  list: async parts => listText(await config(), parts),

  call: async call => {
    const entry = findTool(call.name)
    if (!entry)
      throw new RpcError(
        rpcCodes.invalidParams,
        `There is no tool ${JSON.stringify(call.name.slice(0, 80))}; tools/list names them.`,
      )
    const loaded = await config()
    try {
      const refused = hiddenBecause(entry, loaded)
      if (refused) throw refused
      if (loaded.faults.length > 0) throw faultyConfiguration(loaded.faults)
      return await (await runner(loaded)).run(entry.name, call)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { problemText } = await import('./problem-text.ts')
      return { isError: true, json: problemText(error) }
    }
  },
})
