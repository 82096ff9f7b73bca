/**
 * Lines of bytes in, lines of text out. A line ends at byte 0x0A and nowhere else: U+2028 and a lone CR are legal inside
 * JSON strings (which rules node:readline out), and a chunk may end inside a character, so only whole lines are decoded.
 */
import { isUtf8 } from 'node:buffer'

export type Line = { kind: 'text'; text: string } | { kind: 'not_utf8' } | { kind: 'too_long'; limitBytes: number }

/** Four times the longest line that clients are known to send (4 MiB); a longer one is dropped as it arrives, not held. */
const maxLineBytes = 16 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/** Cuts chunks into lines. Blank lines give nothing; CR before LF and a byte order mark are taken off. */
export class LineSplitter {
  #parts: Buffer[] = []
  #bytes = 0
  readonly #limitBytes: number

  constructor(limitBytes = maxLineBytes) {
    this.#limitBytes = limitBytes
  }

  /** The lines that `chunk` ends, one at a time, so that a reader may stop between them. */
  *push(chunk: Buffer): Generator<Line, void, void> {
    let start = 0
    while (start < chunk.length) {
      const end = chunk.indexOf(newline, start)
      this.#keep(chunk.subarray(start, end === -1 ? chunk.length : end))
      if (end === -1) return
      start = end + 1
      const line = this.#take()
      if (line) yield line
    }
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#limitBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #take(): Line | undefined {
    const bytes = this.#bytes
    const parts = this.#parts
    this.#bytes = 0
    this.#parts = []
    if (bytes > this.#limitBytes) return { kind: 'too_long', limitBytes: this.#limitBytes }
    let line = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
    if (line.at(-1) === carriageReturn) line = line.subarray(0, -1)
    if (!isUtf8(line)) return { kind: 'not_utf8' }
    const text = line.toString('utf8').replace(/^\uFEFF/, '')
    return /[^ \t\r]/.test(text) ? { kind: 'text', text } : undefined
  }
}

/** What a writer needs of stdout. */
export interface Output {
  write(text: string, done: (error?: Error | null) => void): boolean
}

/**
 * The only writer of stdout. Each line is one write. `drained` is how a reader that does not read slows the server down:
 * the loop waits for it before it takes the next request, so that what is queued stays bounded.
 */
export class LineWriter {
  #queuedBytes = 0
  #waiting: (() => void)[] = []
  readonly #output: Output
  readonly #highWaterBytes: number

  constructor(output: Output, highWaterBytes = 1024 * 1024) {
    this.#output = output
    this.#highWaterBytes = highWaterBytes
  }

  write(json: string): void {
    const size = json.length
    this.#queuedBytes += size
    this.#output.write(`${json}\n`, () => {
      this.#queuedBytes -= size
      if (this.#queuedBytes > this.#highWaterBytes) return
      const waiting = this.#waiting
      this.#waiting = []
      for (const go of waiting) go()
    })
  }

  /** Resolves when less than the high-water mark is queued; undefined when it already is. */
  drained(): Promise<void> | undefined {
    return this.#queuedBytes <= this.#highWaterBytes ? undefined : new Promise(go => this.#waiting.push(go))
  }

  /** Resolves when everything written so far has left the process. */
  flush(): Promise<void> {
    return new Promise(go => this.#output.write('', () => go()))
  }
}
