import t from 'tap'
import { scopeOf } from '../../src/auth/authorise.ts'
import { type ConfigDeps, loadConfig } from '../../src/config/config.ts'
import { ConfigError, missingSetting } from '../../src/config/errors.ts'
import { configSchema } from '../../src/config/schema.ts'
import { toolsets } from '../../src/config/types.ts'
import { defaultVault } from '../../src/config/vaults.ts'

const guid = '11111111-2222-3333-4444-555555555555'
const home = '/home/ann'
const codex = `${home}/.codex/config.toml`
const own = `${home}/.codex/recovery_services.toml`
const workspace = '/ws/space/recovery_services_config.toml'

/** What a Codex user really has: models, profiles, servers of others, and nothing that is ours. */
const codexConfig = `
model = "gpt-5-codex"
model_provider = "azure"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
model_context_window = 272_000
notify = ["python3", "/home/ann/.codex/notify.py"]
started = 2026-01-02T03:04:05Z

[model_providers.azure]
name = "Azure"
base_url = "https://contoso.openai.azure.com/openai/v1"
env_key = "AZURE_OPENAI_API_KEY"
query_params = { api-version = "preview" }
request_max_retries = 4

[profiles.o3]
model = "o3"
model_reasoning_effort = "high"
"__proto__" = { polluted = true }

[mcp_servers.recovery_services]
command = "/opt/recovery-services-server"
args = ["serve", "--read-only"]
env = { "AZURE_SUBSCRIPTION_ID" = "elsewhere" }
startup_timeout_sec = 20.5

[mcp_servers."docs.server"]
url = "https://docs.example.com/mcp"
bearer_token_env_var = "DOCS_TOKEN"

[projects."/home/ann/src/repo"]
trust_level = "trusted"

[tui]
notifications = ["agent-turn-complete"]

[[hooks]]
event = """
[not a table]
"""
`

type Files = Record<string, string>
const deps = (files: Files, more: Partial<ConfigDeps> = {}): ConfigDeps => ({
  env: {},
  homeDir: home,
  cwd: '/ws/space',
  readFile: async path => files[path],
  overrides: {},
  ...more,
})
const load = (files: Files, more: Partial<ConfigDeps> = {}) => loadConfig(deps(files, more))
/** The table in the trusted file that config init writes. */
const loadTable = (text: string, more: Partial<ConfigDeps> = {}) =>
  load({ [own]: `[recovery_services]\n${text}` }, more)

t.test('without any source nothing is set and nothing is wrong', async t => {
  const { config, file, warnings, faults, origins } = await load({})
  t.same(config, {
    enabled: true,
    vaults: [],
    readOnly: false,
    toolsets: [...toolsets],
    confirmation: 'elicit',
    armEndpoint: 'https://management.azure.com',
    authorityHost: 'https://login.microsoftonline.com',
    apiVersion: '2025-08-01',
    auth: { method: 'auto' },
    http: { timeoutSeconds: 60, maxRetries: 4 },
  })
  t.equal(file, undefined)
  t.same([...warnings, ...faults], [])
  t.same([...new Set(Object.values(origins))], ['default'])
  t.equal(defaultVault(config), undefined)
})

t.test('the defaults are those that the schema states', async t => {
  const { config } = await load({})
  const { properties } = await configSchema()
  const stated = (table: string, key: string) => properties?.[table]?.properties?.[key]?.default
  t.same(
    {
      enabled: properties?.enabled?.default,
      readOnly: properties?.read_only?.default,
      toolsets: properties?.toolsets?.default,
      confirmation: properties?.confirmation?.default,
      apiVersion: properties?.api_version?.default,
      auth: { method: stated('auth', 'method') },
      http: { timeoutSeconds: stated('http', 'timeout_seconds'), maxRetries: stated('http', 'max_retries') },
    },
    {
      enabled: config.enabled,
      readOnly: config.readOnly,
      toolsets: config.toolsets,
      confirmation: config.confirmation,
      apiVersion: config.apiVersion,
      auth: config.auth,
      http: config.http,
    },
  )
  t.same(properties?.toolsets?.items?.enum, [...toolsets])
})

t.test('every key of the table is taken, with the place it came from', async t => {
  const { config, origins, warnings, faults, file } = await loadTable(`
enabled = false
subscription_id = "${guid}"
resource_group = "rg-backup"
vault_name = "vault-prod"
tenant_id = "contoso.onmicrosoft.com"
read_only = true
toolsets = ["vaults", "backup", "vaults"]
confirmation = "elicit_only"
cloud = "AzureUSGovernment"
arm_endpoint = "https://arm.example.com:8443/"
api_version = "2025-08-01-preview"
[recovery_services.auth]
method = "managed_identity"
client_id = "${guid.toUpperCase()}"
[recovery_services.http]
proxy = "http://user:word@proxy.example.com:8080"
timeout_seconds = 90
max_retries = 0
[recovery_services.vaults.production]
name = "production-vault"
description = "Production backup vault"
is_default = true
[recovery_services.vaults."other one"]
name = "other-vault"
subscription_id = "Pay-As-You-Go Dev/Test"
resource_group = "rg-other"
`)
  t.same([...warnings, ...faults], [`${own}: recovery_services.enabled is false: no tools are served.`])
  t.equal(file, own)
  t.same(config, {
    enabled: false,
    subscription: guid,
    resourceGroup: 'rg-backup',
    tenantId: 'contoso.onmicrosoft.com',
    readOnly: true,
    toolsets: ['vaults', 'backup'],
    confirmation: 'elicit_only',
    armEndpoint: 'https://arm.example.com:8443',
    authorityHost: 'https://login.microsoftonline.us',
    apiVersion: '2025-08-01-preview',
    auth: { method: 'managed_identity', clientId: guid.toUpperCase() },
    http: { proxy: 'http://user:word@proxy.example.com:8080', timeoutSeconds: 90, maxRetries: 0 },
    vaults: [
      {
        key: 'production',
        name: 'production-vault',
        subscription: guid,
        resourceGroup: 'rg-backup',
        description: 'Production backup vault',
        isDefault: true,
      },
      {
        key: 'other one',
        name: 'other-vault',
        subscription: 'Pay-As-You-Go Dev/Test',
        resourceGroup: 'rg-other',
        isDefault: false,
      },
      { key: 'vault-prod', name: 'vault-prod', subscription: guid, resourceGroup: 'rg-backup', isDefault: false },
    ],
  })
  t.match(origins, {
    'http.timeout_seconds': `${own}: recovery_services.http.timeout_seconds`,
    authority_host: `${own}: recovery_services.cloud`,
    arm_endpoint: `${own}: recovery_services.arm_endpoint`,
    'vaults.production.resource_group': `${own}: recovery_services.resource_group`,
    'vaults."other one".resource_group': `${own}: recovery_services.vaults."other one".resource_group`,
  })
  t.throws(() => Object.assign(config.http, { maxRetries: 9 }), TypeError, 'the configuration is frozen throughout')
})

t.test('the first file that has the table wins', async t => {
  const table = (vault: string) => `[recovery_services]\nvault_name = "${vault}"\n`
  const order = [
    codex,
    own,
    workspace,
    '/ws/space/config/recovery_services.toml',
    `${home}/.config/codex/recovery_services.toml`,
  ]
  for (const [rank, file] of order.entries()) {
    const files = Object.fromEntries(order.slice(rank).map((name, index) => [name, table(`v${rank + index}`)]))
    const loaded = await load({ ...files, ...(rank > 0 && { [codex]: codexConfig }) })
    t.equal(loaded.file, file)
    t.equal(defaultVault(loaded.config)?.name, `v${rank}`)
    t.same([...loaded.warnings, ...loaded.faults], [])
  }
  const named = await load({ [codex]: table('a'), '/ws/space/mine.toml': table('b') }, { configFile: 'mine.toml' })
  t.equal(defaultVault(named.config)?.name, 'b', 'a named file is the only one looked at')
  t.equal(named.file, '/ws/space/mine.toml')
  const moved = { CODEX_HOME: '/opt/codex' }
  const files = { [codex]: table('a'), '/opt/codex/recovery_services.toml': table('c') }
  t.equal(defaultVault((await load(files, { env: moved })).config)?.name, 'c', 'CODEX_HOME replaces ~/.codex')
  t.equal(defaultVault((await load(files, { env: { CODEX_HOME: '' } })).config)?.name, 'a')
})

t.test('a Codex configuration is read for its one table, whatever else it holds', async t => {
  const alone = await load({ [codex]: codexConfig })
  t.same([...alone.warnings, ...alone.faults, alone.file], [undefined])
  const loaded = await load({ [codex]: `${codexConfig}\n[recovery_services]\nvault_name = "here"\n` })
  t.same([...loaded.warnings, ...loaded.faults], [])
  t.equal(defaultVault(loaded.config)?.name, 'here')
  t.equal(({} as Record<string, unknown>).polluted, undefined)
})

const spellings: [text: string][] = [
  ['recovery_services = { vault_name = "v" }'],
  ['recovery_services.vault_name = "v"'],
  ['  [ "recovery_services" ]\r\nvault_name = "v"\r\n'],
  ['\uFEFF[recovery_services]\nvault_name = "v"'],
  ['[recovery_services.vaults.x]\nname = "v"'],
]
for (const [text] of spellings)
  t.test(`the table is found as TOML may spell it: ${JSON.stringify(text)}`, async t => {
    const { config, warnings, faults } = await load({ [codex]: text })
    t.equal(defaultVault(config)?.name, 'v')
    t.same([...warnings, ...faults], [])
  })

t.test('a searched file that does not parse', async t => {
  const secret = 'hunter2-do-not-print'
  const broken = `model = "x"\n[recovery_services]\nclient_secret = "${secret}\n`
  const fault = await load({ [codex]: broken, [own]: '[recovery_services]\nvault_name = "v"' })
  t.match(fault.faults, [/config\.toml is not valid TOML: line 3: Unterminated string\.$/], 'is a fault if it names us')
  t.notMatch(JSON.stringify(fault), secret)
  t.equal(fault.config.readOnly, true)
  const date = await loadTable('api_version = 2025-13-41T00:00:00Z')
  t.match(date.faults, [/is not valid TOML: (line 2: )?Invalid Datetime\.$/])
  const passed = await load({ [codex]: `x = ${secret}`, [own]: '[recovery_services]\nvault_name = "v"' })
  t.same(passed.faults, [])
  t.match(passed.warnings, [/config\.toml is not valid TOML: line 1: .* It is passed over\.$/])
  t.notMatch(JSON.stringify(passed), secret)
  t.equal(defaultVault(passed.config)?.name, 'v')
  const alone = await load({ [codex]: 'x = =' })
  t.match(
    alone.warnings,
    [/config\.toml is not valid TOML: line 1: .* It is passed over\.$/],
    'also where nothing else is',
  )
  const mentioned = await load({ [codex]: '# not yet: [recovery_services]\nx = =' })
  t.match(mentioned.faults, [/config\.toml is not valid TOML: line 2: /], 'a mention is enough to be a fault')
})

t.test('a searched file that cannot be read is passed over with a warning', async t => {
  const readFile = async (path: string) => {
    if (path === codex) throw Object.assign(new Error('no'), { code: 'EACCES' })
    return path === own ? '[recovery_services]\nvault_name = "v"' : undefined
  }
  const { warnings, config } = await load({}, { readFile })
  t.match(warnings, [`${codex} cannot be read (EACCES)`])
  t.equal(defaultVault(config)?.name, 'v')
})

t.test('a file named with --config', async t => {
  const rows: [name: string, files: Files, message: RegExp][] = [
    ['must exist', { [codex]: '[recovery_services]' }, /mine\.toml does not exist/],
    ['must have the table', { '/ws/space/mine.toml': codexConfig }, /has no \[recovery_services\] table/],
    ['must be TOML', { '/ws/space/mine.toml': 'x = = 1' }, /mine\.toml is not valid TOML: line 1/],
  ]
  for (const [name, files, message] of rows)
    await t.rejects(
      load(files, { configFile: 'mine.toml' }),
      { name: 'ConfigError', code: 'not_configured', message },
      name,
    )
  const unreadable = async () => Promise.reject(Object.assign(new Error('is a folder'), { code: 'EISDIR' }))
  await t.rejects(load({}, { configFile: 'x', readFile: unreadable }), { message: /cannot be read \(EISDIR\)/ })
  const broken = await load({ '/m.toml': '[recovery_services]\nx = = 1' }, { configFile: '/m.toml' })
  t.match(broken.faults, [/line 2/], 'that has the table but does not parse is a fault, so that serving can say so')
})

t.test('the environment fills in what the file leaves out', async t => {
  const env = { AZURE_SUBSCRIPTION_ID: guid, AZURE_RESOURCE_GROUP: 'rg-env', AZURE_VAULT_NAME: '' }
  const alone = await load({}, { env: { ...env, AZURE_VAULT_NAME: 'vault-env' } })
  t.match(alone.config, {
    subscription: guid,
    resourceGroup: 'rg-env',
    vaults: [{ key: 'vault-env', isDefault: true }],
  })
  t.match(alone.origins, { subscription_id: 'environment AZURE_SUBSCRIPTION_ID', vault_name: /AZURE_VAULT_NAME$/ })
  const both = await loadTable('resource_group = "rg-file"', { env })
  t.match(both.config, { subscription: guid, resourceGroup: 'rg-file', vaults: [] }, 'an empty variable is unset')
  const wrong = await load({}, { env: { AZURE_VAULT_NAME: '../x' } })
  t.match(wrong.faults, [/^environment AZURE_VAULT_NAME must be a vault's name.*; it is a text of 4 characters\.$/])
  t.same(wrong.config.vaults, [])
})

t.test('flags win', async t => {
  const overrides = { readOnly: true as const, toolsets: ['backup' as const] }
  const { config, origins } = await loadTable('read_only = false\ntoolsets = ["vaults"]', { overrides })
  t.match(config, { readOnly: true, toolsets: ['backup'] })
  t.match(origins, { read_only: 'flag --read-only', toolsets: 'flag --toolsets' })
})

t.test('a file of the working directory may not decide where a token goes', async t => {
  const allowed = `[recovery_services]
subscription_id = "Sub"\nresource_group = "rg"\nvault_name = "v"\ntenant_id = "contoso.com"\nread_only = true\ntoolsets = ["vaults"]
[recovery_services.vaults.a]\nname = "a"`
  const fine = await load({ [workspace]: allowed })
  t.same([...fine.warnings, ...fine.faults], [])
  t.match(fine.config, { subscription: 'Sub', tenantId: 'contoso.com', readOnly: true })

  const refused: [key: string, value: string][] = [
    ['cloud', '"AzureChinaCloud"'],
    ['cloud', '{ arm_endpoint = "https://evil.example" }'],
    ['arm_endpoint', '"https://evil.example"'],
    ['authority_host', '"https://evil.example"'],
    ['auth', '{ method = "azure_cli" }'],
    ['http', '{ proxy = "http://evil.example" }'],
    ['confirmation', '"off"'],
    ['api_version', '"2020-01-01"'],
  ]
  const places: [file: string, more: Partial<ConfigDeps>][] = [
    [workspace, {}],
    ['/ws/space/config/recovery_services.toml', {}],
    ['/ws/space/.codex/recovery_services.toml', { env: { CODEX_HOME: '.codex' } }],
    ['/ws/space/.codex/config.toml', { homeDir: '' }],
  ]
  const defaults = (await load({})).config
  for (const [key, value] of refused)
    for (const [file, more] of places) {
      const { config, faults } = await load({ [file]: `[recovery_services]\n${key} = ${value}` }, more)
      t.match(faults, [new RegExp(`${file}: recovery_services.${key} is not taken .* name it with --config`)])
      t.same({ ...config, readOnly: false }, defaults, `${key} in ${file}`)
      const trusted = await load({ [file]: `[recovery_services]\n${key} = ${value}` }, { configFile: file })
      t.same(trusted.faults, [], `${key} is taken from the same file named with --config`)
    }
  const enabled = await load({ [workspace]: '[recovery_services]\nenabled = false' })
  t.equal(enabled.config.enabled, true)
  t.match([enabled.warnings, enabled.faults], [[/enabled is not taken/], []])
})

t.test('each cloud has its sign-in host, its ARM endpoint and the scope of its tokens', async t => {
  const rows: [cloud: string, authorityHost: string, armEndpoint: string][] = [
    ['AzureCloud', 'https://login.microsoftonline.com', 'https://management.azure.com'],
    ['AzureUSGovernment', 'https://login.microsoftonline.us', 'https://management.usgovcloudapi.net'],
    ['AzureChinaCloud', 'https://login.chinacloudapi.cn', 'https://management.chinacloudapi.cn'],
  ]
  for (const [cloud, authorityHost, armEndpoint] of rows) {
    for (const file of [own, `${home}/.config/codex/recovery_services.toml`]) {
      const { config, faults, origins } = await load({ [file]: `[recovery_services]\ncloud = "${cloud}"` })
      t.match({ config, faults }, { config: { authorityHost, armEndpoint }, faults: [] }, `${cloud} in ${file}`)
      t.equal(scopeOf(config.armEndpoint), `${armEndpoint}/.default`)
      t.equal(origins.authority_host, `${file}: recovery_services.cloud`)
    }
    const region = armEndpoint.replace('https://', 'https://westeurope.')
    t.equal(scopeOf(region), `${armEndpoint}/.default`, 'a region has its cloud’s')
  }
  const mixed = await loadTable('cloud = "AzureUSGovernment"\nauthority_host = "https://login.usgovcloudapi.net"')
  t.match(mixed.config, {
    authorityHost: 'https://login.usgovcloudapi.net',
    armEndpoint: 'https://management.usgovcloudapi.net',
  })
  const ownCloud = 'cloud = { arm_endpoint = "https://arm.local", authority_host = "http://127.0.0.1:8443" }'
  const { config, faults } = await loadTable(ownCloud)
  t.match({ config, faults }, { config: { authorityHost: 'http://127.0.0.1:8443' }, faults: [] })
  t.equal(scopeOf(config.armEndpoint), 'https://arm.local/.default')
})

t.test('a sign-in host of one’s own is taken from --config and ~/.codex only', async t => {
  const elsewhere = `${home}/.config/codex/recovery_services.toml`
  const rows: [key: string, line: string][] = [
    ['authority_host', 'authority_host = "https://login.example"'],
    ['authority_host', 'authority_host = "http://127.0.0.1:9"'],
    ['authority_host', 'authority_host = "https://login.microsoftonline.com.evil.example"'],
    ['authority_host', 'authority_host = "https://login.microsoftonline.com:8443"'],
    ['cloud.authority_host', 'cloud = { authority_host = "https://login.example" }'],
  ]
  for (const [key, line] of rows) {
    const text = `[recovery_services]\n${line}`
    const named = new URL(/"(.*)"/.exec(line)?.[1] ?? '').origin
    for (const [files, more] of [
      [{ [own]: text }, {}],
      [{ [codex]: text }, {}],
      [{ [elsewhere]: text }, { configFile: elsewhere }],
      [{ '/opt/codex/recovery_services.toml': text }, { env: { CODEX_HOME: '/opt/codex' } }],
    ] as [Files, Partial<ConfigDeps>][]) {
      const { config, faults } = await load(files, more)
      t.match({ config, faults }, { config: { authorityHost: named }, faults: [] }, line)
    }
    const { config, faults, origins } = await load({ [elsewhere]: text })
    t.match(faults, [
      new RegExp(`^${elsewhere}: recovery_services\\.${key} names a sign-in host that is none of the Azure clouds`),
    ])
    t.equal(config.authorityHost, 'https://login.microsoftonline.com', 'it is not used')
    t.equal(origins.authority_host, 'default')
  }
  const environment = await load({}, { env: { AZURE_AUTHORITY_HOST: 'https://login.example' } })
  t.equal(environment.config.authorityHost, 'https://login.microsoftonline.com')
})

t.test('what is wrong is named with its place, what was given and what would be right', async t => {
  const rows: [text: string, fault: RegExp][] = [
    ['enabled = "yes"', /: recovery_services\.enabled must be true or false; it is a text of 3 characters\.$/],
    ['read_only = 1', /read_only must be true or false; it is a number\.$/],
    ['subscription_id = 5', /subscription_id must be a GUID or the subscription's name; it is a number/],
    ['subscription_id = "/subscriptions/x"', /subscription_id must be/],
    ['subscription_id = ""', /subscription_id must be .*; it is an empty text/],
    ['resource_group = "a/b"', /resource_group must be a resource group's name/],
    ['resource_group = ".."', /resource_group must be/],
    ['vault_name = "a\\u0007b"', /vault_name must be a vault's name/],
    ['tenant_id = "nonsense"', /tenant_id must be a GUID or a domain name/],
    ['toolsets = "vaults"', /toolsets must be a list, each entry one of "vaults", .*; it is a text/],
    ['toolsets = ["vaults", "backups"]', /toolsets\.1 must be one of .*; the nearest is backup\.$/],
    ['toolsets = []', /toolsets must be a list/],
    [
      'confirmation = "elict"',
      /must be one of "elicit", "elicit_only", "argument", "off"; .* the nearest is elicit\.$/,
    ],
    ['cloud = "AzureGermanCloud"', /cloud must be "AzureCloud", "AzureUSGovernment", "AzureChinaCloud" or a table/],
    ['cloud = 5', /cloud must be "AzureCloud".*; it is a number\.$/],
    ['cloud = { arm_endpoint = "http://x" }', /recovery_services\.cloud\.arm_endpoint must be https:/],
    ['arm_endpoint = "http://management.azure.com"', /arm_endpoint must be https:\/\/HOST \(http:/],
    ['arm_endpoint = "http://127.0.0.1.evil.example"', /arm_endpoint must be/],
    ['arm_endpoint = "http://localhost.evil.example"', /arm_endpoint must be/],
    ['arm_endpoint = "https://user:word@host"', /arm_endpoint must be/],
    ['arm_endpoint = "https://host/path"', /arm_endpoint must be/],
    ['arm_endpoint = "https://host?q=1"', /arm_endpoint must be/],
    ['arm_endpoint = "https://host:99999"', /arm_endpoint must be a URL/],
    ['authority_host = "http://127.0.0.999"', /authority_host must be a URL/],
    ['api_version = "latest"', /api_version must be a date such as/],
    ['api_version = 2025-08-01', /api_version must be a date such as .*; it is a date\.$/],
    ['auth = 2025-08-01', /auth must be a table; it is a date\.$/],
    [
      'auth = { client_id = "my-app" }',
      /auth\.client_id must be a GUID \(8-4-4-4-12 .*\); it is a text of 6 characters/,
    ],
    ['auth = { account = "" }', /auth\.account must be the name of an account, such as "ada@.*; it is an empty text/],
    ['auth = { account = "Ada Lovelace" }', /auth\.account must be the name of an account/],
    ['auth = { method = "cli" }', /auth\.method must be one of "auto"/],
    ['http = { timeout_seconds = 0 }', /timeout_seconds must be a whole number from 1 to 3600; it is a number\.$/],
    ['http = { timeout_seconds = 1.5 }', /timeout_seconds must be a whole number/],
    ['http = { timeout_seconds = 99999999999999999999 }', /timeout_seconds must be .*; it is a number out of range\.$/],
    ['http = { max_retries = inf }', /max_retries must be a whole number from 0 to 20/],
    ['http = { proxy = "socks5://p" }', /proxy must be the URL of a proxy/],
    ['vaults = ["a"]', /vaults must be a table; it is a list/],
    ['vaults = { a = {} }', /vaults\.a\.name must be a vault's name.*; it is missing\.$/],
    ['vaults = { a = { name = "v", is_default = "yes" } }', /vaults\.a\.is_default must be true or false/],
    [
      'vaults = { a = { name = "x", is_default = true }, b = { name = "y", is_default = true } }',
      /vaults\.a\.is_default and .*vaults\.b\.is_default are both true/,
    ],
  ]
  const { config: defaults } = await load({})
  for (const [text, fault] of rows) {
    const { faults, warnings, config } = await loadTable(text)
    t.equal(faults.length, 1, text)
    t.match(faults[0], fault, text)
    t.ok(faults[0]?.startsWith(own))
    t.same(warnings, [], text)
    t.equal(config.readOnly, true, 'with a fault the server is read-only')
    t.same({ ...config, vaults: [], readOnly: false }, defaults, `${text}: what is wrong is not used`)
  }
  const table = await load({ [own]: 'recovery_services = 1' })
  t.match(table.faults, [/: recovery_services must be a table; it is a number\.$/])
  const list = await load({ [own]: '[[recovery_services]]\nx = 1' })
  t.match(list.faults, [/must be a table; it is a list\.$/])
})

t.test('all faults are told at once, and what is right is used', async t => {
  const { faults, warnings, config, origins } = await loadTable(
    'vault_name = "v"\nread_only = "x"\nconfirmation = 1\ncolour = 1\n[recovery_services.http]\nmax_retries = -1\ntimeout_seconds = 5',
  )
  t.equal(faults.length, 3)
  t.equal(warnings.length, 1)
  t.match(config, { vaults: [{ name: 'v' }], http: { timeoutSeconds: 5, maxRetries: 4 } })
  t.match(origins, { 'http.max_retries': 'default', read_only: 'the faults in the configuration' })
})

t.test('no value is ever repeated', async t => {
  const secret = 'S3cr3t~Value'
  const text = `tenant_id = "${secret} "\nconfirmation = "${secret}"\n[recovery_services.auth]\nclient_id = "${secret}"\nclient_secret = "${secret}"
[recovery_services.http]\nproxy = "ftp://u:${secret}@h"`
  const { faults, warnings } = await loadTable(text)
  t.equal(faults.length, 4)
  t.match(warnings, [/auth\.client_secret is not a known key/])
  t.notMatch(JSON.stringify({ faults, warnings }), secret)
})

t.test('an unknown key is a warning with the nearest known one', async t => {
  const rows: [text: string, warning: RegExp][] = [
    ['vault_nmae = "v"', /: recovery_services\.vault_nmae is not a known key; the nearest is vault_name\.$/],
    ['readonly = true', /the nearest is read_only\.$/],
    ['zzz = 1', /: recovery_services\.zzz is not a known key\.$/],
    ['[recovery_services.http]\ntimeout_second = 1', /http\.timeout_second is .* nearest is timeout_seconds\.$/],
    ['[recovery_services.vaults.a]\nname = "a"\ndefault = true', /vaults\.a\.default is not a known key/],
    ['[recovery_services.auth]\nacount = "a@b.c"', /auth\.acount is not a known key; the nearest is account\.$/],
    ['cloud = { arm_endpint = "x" }', /cloud\.arm_endpint is not a known key; the nearest is arm_endpoint\.$/],
    ['"__proto__" = 1', /recovery_services\.__proto__ is not a known key/],
    ['constructor = 1', /recovery_services\.constructor is not a known key/],
    ['"a\\u001b[31m\\u202e" = 1', /"a\\u001b\[31m\\u202e" is not a known key/],
  ]
  for (const [text, warning] of rows) {
    const { warnings, faults } = await loadTable(text)
    t.equal(warnings.length, 1, text)
    t.match(warnings[0], warning)
    t.same(faults, [])
  }
})

t.test('a file that nests without end is checked like any other', async t => {
  const deep = 100_000
  for (const text of [`x = ${'['.repeat(deep)}${']'.repeat(deep)}`, `[recovery_services.${'x.'.repeat(deep)}x]`]) {
    const { warnings, faults } = await loadTable(text)
    t.match([warnings, faults], [[/recovery_services\.x is not a known key\.$/], []])
  }
})

t.test('values that are right', async t => {
  const rows: [text: string, part: object][] = [
    ['subscription_id = "Visual Studio Enterprise – MPN"', { subscription: 'Visual Studio Enterprise – MPN' }],
    ['resource_group = "Büro_(alt).1"', { resourceGroup: 'Büro_(alt).1' }],
    [`tenant_id = "${guid}"`, { tenantId: guid }],
    ['auth = { account = "ada@contoso.com" }', { auth: { method: 'auto', account: 'ada@contoso.com' } }],
    ['cloud = "AzureChinaCloud"', { armEndpoint: 'https://management.chinacloudapi.cn' }],
    [
      'cloud = { arm_endpoint = "https://arm.local", authority_host = "https://login.local" }',
      { armEndpoint: 'https://arm.local', authorityHost: 'https://login.local' },
    ],
    [
      'cloud = { arm_endpoint = "https://arm.local" }\narm_endpoint = "http://127.0.0.1:8080"',
      { armEndpoint: 'http://127.0.0.1:8080', authorityHost: 'https://login.microsoftonline.com' },
    ],
    ['arm_endpoint = "http://[::1]:9/"', { armEndpoint: 'http://[::1]:9' }],
    ['arm_endpoint = "http://localhost"', { armEndpoint: 'http://localhost' }],
  ]
  for (const [text, part] of rows) {
    const { config, warnings, faults } = await loadTable(text)
    t.match(config, part, text)
    t.same([...warnings, ...faults], [], text)
  }
})

t.test('the default vault', async t => {
  const a = '[recovery_services.vaults.a]\nname = "va"\n'
  const b = '[recovery_services.vaults.b]\nname = "vb"\n'
  const rows: [name: string, text: string, key: string | undefined, count: number][] = [
    ['the entry that says so', `vault_name = "top"\n${a}${b}is_default = true`, 'b', 3],
    ['else the top-level name', `vault_name = "top"\n${a}${b}`, 'top', 3],
    ['else the only entry', a, 'a', 1],
    ['else none', `${a}${b}`, undefined, 2],
    ['none where two say so', `${a}is_default = true\n${b}is_default = true`, undefined, 2],
    ['the entry that the top-level name means', `vault_name = "VA"\n${a}${b}`, 'a', 2],
    [
      'not an entry of that name in another group',
      `vault_name = "va"\nresource_group = "rg"\n${a}resource_group = "rg-other"`,
      'va',
      2,
    ],
    ['an entry keyed like a built-in', '[recovery_services.vaults]\n"__proto__" = { name = "v" }', '__proto__', 1],
  ]
  for (const [name, text, key, count] of rows) {
    const { config } = await loadTable(text)
    t.equal(defaultVault(config)?.key, key, name)
    t.equal(config.vaults.length, count, name)
  }
})

t.test('a missing setting names the three ways to give it', async t => {
  const error = missingSetting('vault')
  t.ok(error instanceof ConfigError)
  t.match(error, { code: 'not_configured', message: /No vault/ })
  for (const way of ['`vault`', 'vault_name', 'AZURE_VAULT_NAME']) t.ok(error.remediation.includes(way), way)
})
