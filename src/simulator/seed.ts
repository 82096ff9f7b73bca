/**
 * The built-in estate: one that a backup administrator recognises. Its names are fixed, since people's scripts rely on
 * them. No schedule of VMs, shares, full or differential backups begins between 08:00 and 22:00, when simulated time does.
 */
import type { SeedItem, SeedJob, SeedPolicy, SeedVault, SeedVirtualMachine } from '../generated/seed.ts'
import type { Estate } from './estate-state.ts'

const production = '11111111-1111-4111-8111-111111111111'
const test = 'Contoso Test'

const east = { resource_group: 'rg-app', location: 'eastus' } as const
const data = { resource_group: 'rg-data', location: 'eastus' } as const

const osDisk = (name: string, size_gb: number) => ({ lun: -1, name: `${name}_OsDisk`, size_gb })
const dataDisk = (name: string, lun: number, size_gb: number) => ({ lun, name: `${name}_data${lun}`, size_gb })

const server = (workload: 'SQL' | 'SAPHana' | 'SAPAse', name: string, ...databases: string[]) => [
  { workload, name, databases },
]

const machines: SeedVirtualMachine[] = [
  { ...east, name: 'web-01', os: 'Linux', disks: [osDisk('web-01', 30), dataDisk('web-01', 0, 64)] },
  {
    ...east,
    name: 'web-02',
    os: 'Windows',
    size: 'Standard_D4s_v5',
    disks: [osDisk('web-02', 127), dataDisk('web-02', 0, 256), dataDisk('web-02', 1, 512)],
  },
  { ...east, name: 'app-01', os: 'Windows', agent_ready: false },
  { ...east, name: 'app-02', os: 'Windows' },
  { ...east, name: 'app-03', os: 'Linux', disks: [osDisk('app-03', 30)] },
  { ...east, name: 'win-04', os: 'Windows' },
  { ...east, name: 'old-01', os: 'Windows' },
  { ...east, name: 'gone-01', os: 'Linux', exists: false },
  { ...east, name: 'vault-01', os: 'Linux' },
  { ...east, name: 'app-01', resource_group: 'rg-legacy', os: 'Windows', size: 'Standard_DS2_v2' },
  {
    ...data,
    name: 'sql-01',
    size: 'Standard_E4s_v5',
    disks: [osDisk('sql-01', 127), dataDisk('sql-01', 0, 512), dataDisk('sql-01', 1, 256)],
    instances: server('SQL', 'MSSQLSERVER', 'orders', 'billing', 'hr', 'scratch'),
  },
  { ...data, name: 'sql-02', size: 'Standard_E4s_v5', instances: server('SQL', 'MSSQLSERVER', 'crm', 'web') },
  {
    ...data,
    name: 'hana-01',
    os: 'Linux',
    size: 'Standard_M32ts',
    instances: server('SAPHana', 'HXE', 'SYSTEMDB', 'HXE'),
  },
  {
    ...data,
    name: 'hana-02',
    os: 'Linux',
    size: 'Standard_M32ts',
    instances: server('SAPHana', 'DEV', 'SYSTEMDB', 'DEV'),
  },
  { ...data, name: 'ase-01', os: 'Linux', size: 'Standard_E8s_v5', instances: server('SAPAse', 'AZU', 'azu') },
  { ...data, name: 'ase-02', os: 'Linux', size: 'Standard_E8s_v5', instances: server('SAPAse', 'LED', 'ledger') },
  { name: 'eu-01', resource_group: 'rg-eu', location: 'westeurope', os: 'Windows' },
  { name: 'web-01', subscription: test, resource_group: 'rg-test', location: 'eastus', os: 'Linux' },
  { name: 'test-01', subscription: test, resource_group: 'rg-test', location: 'eastus', os: 'Linux' },
]

const weekdaysButSunday = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const daily: SeedPolicy = {
  name: 'vm-daily-30d',
  workload: 'VM',
  time: '23:00',
  keep: { days: 30, weeks: 12, months: 12, years: 3 },
}

const policies: SeedPolicy[] = [
  daily,
  {
    name: 'vm-hourly-enhanced',
    workload: 'VM',
    enhanced: true,
    hourly: { every_hours: 4, from: '22:00', window_hours: 8 },
    keep: { days: 30, weeks: 8, months: 6 },
    instant_restore_days: 7,
  },
  {
    name: 'sql-full-log',
    workload: 'SQL',
    time: '23:30',
    keep: { days: 30, weeks: 26, months: 12, years: 3 },
    log: { every_minutes: 15, keep_days: 15 },
  },
  {
    name: 'hana-full-diff-log',
    workload: 'SAPHana',
    weekdays: ['Sunday'],
    time: '22:30',
    keep: { weeks: 26, months: 12, years: 3 },
    differential: { weekdays: [...weekdaysButSunday], time: '22:30', keep_days: 30 },
    log: { every_minutes: 30, keep_days: 15 },
  },
  {
    name: 'ase-full-log',
    workload: 'SAPAse',
    time: '22:00',
    keep: { days: 30, weeks: 12, months: 12 },
    log: { every_minutes: 120, keep_days: 15 },
  },
  { name: 'afs-daily', workload: 'AzureFileShare', time: '23:00', keep: { days: 30, weeks: 12, months: 6 } },
]

/** As far back as the policies keep anything, but no more than is needed to show what is kept for years. */
const days = 400
const history = { days }
const hourlyDays = 200
const defaultDays = 31

const machine = (vm: string, policy: string, more: Partial<SeedItem> = {}): SeedItem => ({
  source: { vm },
  policy,
  history,
  ...more,
})

const threeDays = { from: -72, to: 0 }
const database = (
  vm: string,
  instance: string,
  name: string,
  policy: string,
  logs: SeedItem['logs'] = [threeDays],
): SeedItem => ({ source: { vm, instance, database: name }, policy, history, logs })

const hours = (count: number) => -24 * count

const items: SeedItem[] = [
  machine('web-01', daily.name),
  machine('web-02', 'vm-hourly-enhanced', { history: { days: hourlyDays } }),
  machine('rg-app/app-01', 'DefaultPolicy', {
    history: { days: defaultDays, last: 'Failed', trouble: 'UserErrorGuestAgentStatusUnavailable' },
  }),
  machine('app-02', daily.name, { state: 'ProtectionStopped', history: { days, until: hours(5) } }),
  machine('old-01', daily.name, { soft_deleted: { at: hours(3), days: 14 } }),
  machine('gone-01', 'DefaultPolicy', {
    history: { days: defaultDays, failing_since: hours(4), trouble: 'UserErrorVmNotFoundV2' },
  }),
  machine('rg-legacy/app-01', 'EnhancedPolicy', {
    history: {
      days: defaultDays,
      last: 'CompletedWithWarnings',
      trouble: {
        number: 400380,
        code: 'DiskAPIRevokeSASFailed',
        message: 'Access to a disk of the virtual machine could not be taken back after the backup.',
        recommendations: ['Look for locks and pending operations on the disks of the virtual machine.'],
      },
    },
  }),
  database('sql-01', 'MSSQLSERVER', 'orders', 'sql-full-log'),
  database('sql-01', 'MSSQLSERVER', 'billing', 'sql-full-log', [
    { from: -72, to: -31 },
    { from: -28, to: 0 },
  ]),
  database('sql-01', 'MSSQLSERVER', 'hr', 'sql-full-log'),
  database('hana-01', 'HXE', 'SYSTEMDB', 'hana-full-diff-log'),
  database('hana-01', 'HXE', 'HXE', 'hana-full-diff-log'),
  database('ase-02', 'LED', 'ledger', 'ase-full-log'),
  { source: { storage_account: 'contosofiles', share: 'finance' }, policy: 'afs-daily', history },
]

const jobs: SeedJob[] = [
  { operation: 'DisableBackup', source: { vm: 'app-02' }, started: hours(5), minutes: 0.2, bag: { 'Policy Name': '' } },
  { operation: 'DeleteBackupData', source: { vm: 'old-01' }, started: hours(3), minutes: 0.5 },
  {
    operation: 'ConfigureBackup',
    source: { vm: 'web-02' },
    started: -21,
    minutes: 0.5,
    bag: { 'Policy Name': 'vm-hourly-enhanced' },
  },
  {
    operation: 'Backup',
    source: { vm: 'web-01' },
    started: -20,
    minutes: 4,
    status: 'Cancelled',
    trouble: 'UserErrorJobSuccessfullyCancelled',
  },
  {
    operation: 'Restore',
    source: { vm: 'web-01' },
    started: -18,
    minutes: 24,
    bag: {
      'Job Type': 'Recover disks',
      'Target VM Name': 'vmName',
      'Target Storage Account Name': 'contosostaging',
      'Target resource group': 'rg-app',
    },
  },
  // It has a terabyte to take: who has just started the simulated Azure still finds it running.
  { operation: 'Backup', source: { vm: 'web-02' }, started: -0.25, minutes: 360, status: 'InProgress' },
]

const vaults: SeedVault[] = [
  {
    name: 'vault-prod',
    resource_group: 'rg-backup',
    location: 'eastus',
    redundancy: 'GeoRedundant',
    cross_region_restore: true,
    soft_delete: { state: 'Enabled', days: 14 },
    tags: { environment: 'production' },
    policies,
    containers: [
      { vm: 'sql-01' },
      { vm: 'hana-01' },
      { vm: 'ase-01' },
      { vm: 'ase-02' },
      { storage_account: 'contosofiles' },
    ],
    items,
    jobs,
  },
  {
    name: 'vault-secure',
    resource_group: 'rg-backup',
    location: 'westeurope',
    immutability: 'Locked',
    policies: [daily],
    items: [machine('eu-01', daily.name)],
  },
  {
    name: 'vault-test',
    subscription: test,
    resource_group: 'rg-test',
    location: 'eastus',
    redundancy: 'LocallyRedundant',
    soft_delete: { state: 'Disabled' },
    items: [machine('test-01', 'DefaultPolicy', { history: { days: defaultDays } })],
  },
  {
    name: 'vault-guarded',
    resource_group: 'rg-backup',
    location: 'eastus',
    guard: `/subscriptions/${production}/resourceGroups/rg-security/providers/Microsoft.DataProtection/resourceGuards/guard-prod`,
    items: [machine('vault-01', 'DefaultPolicy', { history: { days: defaultDays } })],
  },
]

const built: Estate = {
  tenant_id: '99999999-9999-4999-8999-999999999999',
  tokens: ['simulated-azure-token'],
  default_vault: 'vault-prod',
  subscriptions: [
    { id: production, name: 'Contoso Production' },
    { id: '22222222-2222-4222-8222-222222222222', name: test },
  ],
  resource_groups: [{ name: 'rg-security', location: 'eastus' }],
  virtual_machines: machines,
  storage_accounts: [
    {
      ...data,
      name: 'contosofiles',
      shares: [
        {
          name: 'finance',
          files: [
            '2026/q2/report.xlsx',
            '2026/q3/invoices.csv',
            '2026/q3/ledger.xlsx',
            '2026/q3/report.xlsx',
            'readme.txt',
          ],
        },
        { name: 'engineering', files: ['drawings/bridge.dwg', 'notes.md'] },
      ],
    },
    { ...data, name: 'contosostaging' },
    { ...data, name: 'contosostagingwest', location: 'westus' },
  ],
  virtual_networks: [{ ...east, name: 'vnet-app', subnets: ['default'] }],
  vaults,
}

export const builtInEstate = (): Estate => built
