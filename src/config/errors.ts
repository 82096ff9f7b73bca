import { Problem, type ProblemFacts } from '../problem.ts'

/** What is wrong with the configuration, or missing from it; always `not_configured`. */
export class ConfigError extends Problem {
  override name = 'ConfigError'

  constructor(message: string, remediation: string, facts: ProblemFacts = {}) {
    super('not_configured', message, remediation, facts)
  }
}

/** The three ways to give a value, by what a tool misses. Only vaults are missing a subscription: it is a part of theirs. */
const settings = {
  subscription: {
    name: 'subscription',
    argument: 'vault',
    form: ' as subscription/group/name',
    key: 'subscription_id',
    env: 'AZURE_SUBSCRIPTION_ID',
  },
  resource_group: {
    name: 'resource group',
    argument: 'resource_group',
    form: '',
    key: 'resource_group',
    env: 'AZURE_RESOURCE_GROUP',
  },
  vault: { name: 'vault', argument: 'vault', form: '', key: 'vault_name', env: 'AZURE_VAULT_NAME' },
} as const

/** For a tool that cannot go on without the value: says which three ways there are to give it. */
export const missingSetting = (what: keyof typeof settings): ConfigError => {
  const { name, argument, form, key, env } = settings[what]
  return new ConfigError(
    `No ${name} was given, and none is configured.`,
    `Name the ${name} in one of three ways: the tool argument \`${argument}\`${form}; the key ${key} under ` +
      `[recovery_services] in the configuration file; the environment variable ${env} of the server.`,
    { details: { argument, configuration_key: `recovery_services.${key}`, environment_variable: env } },
  )
}
