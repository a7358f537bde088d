import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../../src/common/message-of.ts'
import { InputError } from '../../src/errors.ts'

const run = promisify(execFile)
const FETCH_MS = 300_000

interface Package { readonly spec: string, readonly file: string, readonly sha512: string }

/**
 * Fetched from the npm registry, held to these digests: the binding's sources and kernels, what they need, and the headers of Node's
 * stable interface.
 */
const PACKAGES = {
  tfjs: {
    spec: '@tensorflow/tfjs-node@4.22.0',
    file: 'tensorflow-tfjs-node-4.22.0.tgz',
    sha512: 'uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w=='
  },
  protobuf: {
    spec: 'google-protobuf@3.21.4',
    file: 'google-protobuf-3.21.4.tgz',
    sha512: 'MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ=='
  },
  headers: {
    spec: 'node-api-headers@1.9.0',
    file: 'node-api-headers-1.9.0.tgz',
    sha512: '2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA=='
  }
} satisfies Record<string, Package>

export type PackageFolders = Readonly<Record<keyof typeof PACKAGES, string>>

/**
 * Unpacks the npm packages into the given folders, `aside` taking the archives. @throws InputError where the registry does not answer
 * or sends something else.
 */
export async function fetchPackages (folders: PackageFolders, aside: string): Promise<void> {
  await mkdir(aside, { recursive: true })
  for (const [key, folder] of Object.entries(folders)) await fetchPackage(PACKAGES[key as keyof typeof PACKAGES], folder, aside)
}

async function fetchPackage ({ spec, file, sha512 }: Package, folder: string, aside: string): Promise<void> {
  await npm(['pack', spec, '--pack-destination', aside], aside).catch((error: unknown) => {
    throw new InputError(
      `npm could not fetch ${spec} (${messageOf(error).split('\n', 2).join(' ')}): check the connection to the registry`
    )
  })
  const archive = join(aside, file)
  if (createHash('sha512').update(await readFile(archive)).digest('base64') !== sha512) {
    throw new InputError(`${spec} is not what it was when this script was written: check which registry npm uses`)
  }
  await mkdir(folder, { recursive: true })
  await run('tar', ['-xzf', archive, '-C', folder, '--strip-components', '1'])
}

/** The npm that runs this script, else the one on the path. */
async function npm (args: readonly string[], cwd: string): Promise<void> {
  const script = process.env['npm_execpath']
  const [file, first] = script === undefined ? ['npm', []] : [process.execPath, [script]]
  await run(file, [...first, ...args], { cwd, timeout: FETCH_MS })
}
