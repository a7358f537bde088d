import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { STOP_SIGNALS } from '../common/stop-signals.ts'

/** The Node that is installed with this package, whose link npm 10 does not keep; undefined where there is none. */
function installedNode (): string | undefined {
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`))
    const binary = join(root, 'bin/node')
    return existsSync(binary) && binary !== process.execPath ? binary : undefined
  } catch {
    return undefined
  }
}

/** Runs this very command under the Node that is installed with it, and gives its exit code; undefined where there is none. */
export async function runUnderInstalledNode (): Promise<number | undefined> {
  const node = installedNode()
  if (node === undefined) return undefined
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of STOP_SIGNALS) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'exit') as [number | null]
  return code ?? 1
}
