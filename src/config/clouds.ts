/**
 * Endpoints of the Azure clouds, by the names the Azure CLI gives them (`az cloud list`). `aliases` are the other names of
 * the sign-in host, by which cached accounts may be filed: https://login.microsoftonline.com/common/discovery/instance.
 */
export const clouds = {
  AzureCloud: {
    armEndpoint: 'https://management.azure.com',
    authorityHost: 'https://login.microsoftonline.com',
    aliases: ['login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  },
  AzureUSGovernment: {
    armEndpoint: 'https://management.usgovcloudapi.net',
    authorityHost: 'https://login.microsoftonline.us',
    aliases: ['login.usgovcloudapi.net'],
  },
  AzureChinaCloud: {
    armEndpoint: 'https://management.chinacloudapi.cn',
    authorityHost: 'https://login.chinacloudapi.cn',
    aliases: ['login.partner.microsoftonline.cn'],
  },
} as const

/** Every name of a sign-in host; of one that is no cloud's, its own alone. */
export const hostsOf = (authorityHost: string): readonly string[] => {
  const { host } = new URL(authorityHost)
  const cloud = Object.values(clouds).find(
    each => new URL(each.authorityHost).host === host || each.aliases.some(alias => alias === host),
  )
  return cloud ? [new URL(cloud.authorityHost).host, ...cloud.aliases] : [host]
}

/** True for a sign-in host of one of the clouds, which MSAL knows too. */
export const isCloudsAuthority = (authorityHost: string): boolean => hostsOf(authorityHost).length > 1
