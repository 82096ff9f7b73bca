/** Severity words of RFC 5424 as MCP spells them, least severe first. */
export const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type LogLevel = (typeof logLevels)[number]

/** One log record. `fields` are flat, and already free of secrets: whoever logs a URL passes it through `scrubUrl`. */
export type Log = (level: LogLevel, message: string, fields?: Record<string, string | number | boolean | null>) => void

/** True when a record of `level` reaches somebody who asked for `threshold` and worse. */
export const reaches = (level: LogLevel, threshold: LogLevel): boolean =>
  logLevels.indexOf(level) >= logLevels.indexOf(threshold)
