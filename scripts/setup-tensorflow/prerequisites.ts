import { execFile } from 'node:child_process'
import { mkdir, statfs } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { promisify } from 'node:util'
import { InputError } from '../../src/errors.ts'

const run = promisify(execFile)

/** Everything that is missing, each with what to do; looked for before anything is changed. */
export async function missingPrerequisites (
  { compiler, platform = process.platform }: { compiler: string, platform?: string }
): Promise<string[]> {
  return [
    ...(platform === 'linux' ? [] : [`it works on Linux only, and this is ${platform}`]),
    ...(typeof registerHooks === 'function' ? [] : [`Node 22.15 or newer is needed, and this is ${process.versions.node}`]),
    ...(await answers(compiler)
      ? []
      : [`the C++ compiler ${compiler} does not run: install g++ (Debian, Ubuntu: apt install g++), or name another in CXX`]),
    ...(await answers('tar') ? [] : ['tar does not run: install it'])
  ]
}

async function answers (program: string): Promise<boolean> {
  return await run(program, ['--version'], { timeout: 30_000 }).then(() => true, () => false)
}

/** @throws InputError unless `folder`, which is made, has that many bytes free. */
export async function requireSpace (folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < bytes) {
    throw new InputError(
      `${folder} has ${megabytes(free)} free and ${megabytes(bytes)} are needed: free some, or name another folder in CONSILIUM_TENSORFLOW`
    )
  }
}

function megabytes (bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}
