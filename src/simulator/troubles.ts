/** Why a backup fails, as Azure says it (section 11.2 of the wire facts). */
import type { Trouble } from './state.ts'

export const troubles = {
  vmNotFound: {
    number: 400136,
    code: 'UserErrorVmNotFoundV2',
    message: "Virtual machine doesn't exist.",
    recommendations: [
      'If the virtual machine was deleted, stop its protection. If it was moved to another resource group or subscription, protect it again.',
    ],
  },
  agentUnavailable: {
    number: 400196,
    code: 'UserErrorGuestAgentStatusUnavailable',
    message: 'VM Agent is unable to communicate with the Azure Backup Service.',
    recommendations: [
      'Ensure that the VM agent is running and up to date, and that the virtual machine can reach 168.63.129.16.',
    ],
  },
  cancelled: {
    number: 400158,
    code: 'UserErrorJobSuccessfullyCancelled',
    message: 'Job is cancelled.',
    recommendations: [],
  },
} satisfies Record<string, Trouble>
