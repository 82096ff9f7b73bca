/**
 * One call of a tool. `args` may be a function of what was answered before: the last body of each tool by its name. `holds`
 * says what must be so of the answer: its body, and the whole reply.
 */
export const tool = (name, args, holds) => ({ method: 'tools/call', name, args, holds })

/** A call that must be refused with that code; `holds` gets the error. */
export const refused = (name, args, code, holds = () => true) =>
  tool(name, args, ({ error }, { result }) => result.isError && error.code === code && holds(error))

/** A call whose plan needs a person's word: refused with the plan, then repeated with the string that stands for it. */
export const confirmed = (name, args, loses, holds) => [
  refused(name, args, 'confirmation_required', ({ details }) => details.plan.loses.some(line => loses.test(line))),
  tool(name, seen => ({ ...args, confirm: seen[name].error.details.confirmation }), holds),
]
