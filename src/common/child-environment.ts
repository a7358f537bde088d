/** What processes that the daemon starts get of its environment: the key and the line to systemd are the daemon's alone. */
export function childEnvironment (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.endsWith('PASSPHRASE') && name !== 'NOTIFY_SOCKET'))
}
