/** OData filters as Azure Backup reads them: `name eq 'value'` joined by ` and `; nothing else. */
export const filterOf = (terms: Readonly<Record<string, string | undefined>>): { $filter?: string } => {
  const present = Object.entries(terms).filter(([, value]) => value !== undefined)
  if (present.length === 0) return {}
  return { $filter: present.map(([name, value]) => `${name} eq '${value?.replaceAll("'", "''")}'`).join(' and ') }
}

/** A time in filters of jobs and recovery points: `2026-01-01 04:00:15 AM`, UTC, 12-hour clock. */
export const filterTime = (atMs: number): string => {
  const [date, clock] = new Date(atMs).toISOString().split(/[T.]/) as [string, string]
  const hour = Number(clock.slice(0, 2))
  return `${date} ${String(hour % 12 || 12).padStart(2, '0')}${clock.slice(2)} ${hour < 12 ? 'AM' : 'PM'}`
}
