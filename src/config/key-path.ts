import { printable } from '../printable.ts'

/** A key path as TOML spells it: `vaults.production.name`, `vaults."my vault".name`. */
export const keyPath = (path: readonly string[]): string =>
  path.map(key => printable(/^[\w-]+$/.test(key) ? key : JSON.stringify(key), 80)).join('.')
