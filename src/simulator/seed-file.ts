/** Seed files: JSON in, an estate out, or everything that is wrong with it at once. */
import { fields } from '../backup/fields.ts'
import { seed as fitsSchema } from '../generated/seed-validator.ts'
import { estateFaults } from './estate-faults.ts'
import type { Estate } from './estate-state.ts'
import { withGenerated } from './generator.ts'

/** As the generated validator reports it. */
interface SchemaFault {
  instancePath: string
  message: string
  params: { additionalProperty?: string; allowedValues?: unknown[] }
}

const schemaFault = ({ instancePath, message, params }: SchemaFault): string => {
  const { additionalProperty, allowedValues } = params
  const more = additionalProperty ?? allowedValues?.map(value => JSON.stringify(value)).join(', ')
  return `${instancePath || '/'}: ${message}${more === undefined ? '' : ` (${more})`}`
}

/** Throws an Error with everything that is wrong, one fault a line, each with its JSON pointer. */
export const parseEstate = (json: unknown): Estate => {
  const fits = fitsSchema(json) as boolean
  const given = fields(json)
  // What is generated can only be told from sizes that fit.
  const whole = fits ? fields(withGenerated(json as Estate)) : given
  const faults = fits ? [] : ((fitsSchema as { errors?: SchemaFault[] }).errors ?? []).map(schemaFault)
  faults.push(...estateFaults(whole, fits || given.generate === undefined))
  if (faults.length > 0) throw new Error([...new Set(faults)].join('\n'))
  return json as Estate
}
