import { homedir, userInfo } from 'node:os'

/**
 * The user's home. With an empty HOME, which some services start their processes with, `homedir` says the working directory,
 * where somebody else's files may lie.
 */
export const home = (): string => homedir() || userInfo().homedir
