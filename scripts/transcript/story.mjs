/**
 * One story, as an administrator would do it: a VM that nobody backs up is protected, backed up, restored three ways, and
 * let go again. The simulated clock runs an hour a second, so that what takes Azure half an hour is waited for here.
 */
import { readFileSync, statSync } from 'node:fs'
import { confirmed, refused, tool } from './steps.mjs'

const vm = { item: 'rg-app/app-03', workload_type: 'VM' }
const policy = { policy_name: 'story-daily' }
const latest = { ...vm, point: 'latest', staging_storage_account: 'contosostaging', target_resource_group: 'rg-app' }
const disks = { ...latest, restore_mode: 'disks' }
const copy = {
  ...latest,
  restore_mode: 'alternate',
  target_vm_name: 'app-03-copy',
  target_virtual_network: 'vnet-app',
  target_subnet: 'default',
}

const isDone = ({ status }) => status === 'succeeded'
/** Looks whether the vault shows the VM in that state. */
const state = protection_state =>
  tool('list_protected_items', { name_contains: 'app-03', protection_state }, body => body.count === 1)
/** The script is there for its owner alone, and the password that it asks for is not in it. */
const isSaved = ({ password, saved_to }) => {
  const script = readFileSync(saved_to, 'utf8')
  return script.length > 0 && !script.includes(password) && (statSync(saved_to).mode & 0o777) === 0o600
}

/** `file`: where the script that mounts the files is saved. */
export const story = file => [
  tool('list_protectable_items', { workload_type: 'VM' }, body =>
    body.protectable_items.some(row => row.friendly_name === 'app-03'),
  ),
  tool('create_policy', { ...policy, workload_type: 'VM', preset: 'vm-daily' }, isDone),
  tool('enable_protection', { ...vm, ...policy }, isDone),
  tool('trigger_backup', { ...vm, wait_seconds: 2 }, body => isDone(body) && body.job.status === 'Completed'),
  tool(
    'get_job_details',
    ({ trigger_backup }) => ({ job_id: trigger_backup.job_id }),
    body => body.friendly_name === 'app-03' && body.tasks.length > 0,
  ),
  tool('list_recovery_points', vm, body => body.count > 0),
  tool('restore_vm', { ...disks, dry_run: true }, body => body.status === 'planned' && body.plan.loses.length === 0),
  tool('restore_vm', { ...disks, wait_seconds: 2 }, isDone),
  tool('restore_vm', { ...copy, wait_seconds: 2 }, isDone),
  tool('restore_files', { ...vm, point: 'latest', action: 'mount', save_to: file }, isSaved),
  tool('restore_files', { ...vm, point: 'latest', action: 'unmount' }, isDone),
  ...confirmed('disable_protection', { ...vm, wait_seconds: 2 }, /no new recovery points/, isDone),
  state('ProtectionStopped'),
  ...confirmed('resume_protection', { ...vm, ...policy }, /expire again/, isDone),
  refused('delete_policy', policy, 'precondition_failed', ({ message }) => message.includes('app-03')),
  ...confirmed('disable_protection', { ...vm, delete_backup_data: true, wait_seconds: 2 }, /14 days/, isDone),
  state('SoftDeleted'),
  tool('undelete_protected_item', vm, isDone),
  state('ProtectionStopped'),
  ...confirmed('delete_policy', policy, /story-daily/, isDone),
]
