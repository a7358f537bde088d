/** For processes that the daemon starts: the key is the daemon's alone. */
export function withoutPassphrase (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.endsWith('PASSPHRASE')))
}
