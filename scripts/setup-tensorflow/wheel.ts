import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { messageOf } from '../../src/common/message-of.ts'
import { InputError } from '../../src/errors.ts'
import { HEADERS, LIBRARIES, type TensorflowSource } from './source.ts'

const INCLUDE = 'tensorflow/include/'

/** A wheel of tensorflow or tensorflow-cpu for this kind of machine, read without Python. @throws InputError where it is none. */
export async function openWheel (path: string): Promise<TensorflowSource> {
  const zip = await openPromise(path, { autoClose: false }).catch((error: unknown) => {
    throw new InputError(
      `${path} is not a wheel (${messageOf(error)}): download one with pip download --no-deps tensorflow-cpu`
    )
  })
  const entries = await entriesOf(zip, path)
  const libraries = LIBRARIES.map((name) => entries.get(`tensorflow/${name}`))
  const headers = [...entries.values()].filter(({ fileName }) => isHeader(fileName))
  const record = [...entries.values()].find(({ fileName }) => fileName.endsWith('.dist-info/RECORD'))
  if (record === undefined || libraries.includes(undefined) || headers.length === 0) {
    throw new InputError(
      `${path} has no ${LIBRARIES[0]} with its headers: use a Linux wheel of tensorflow or tensorflow-cpu, 2.14 or newer`
    )
  }
  const wanted = [...headers, ...libraries as Entry[]]
  return {
    bytes: wanted.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0),
    async provide ({ include, lib }) {
      const digests = await digestsOf(zip, record)
      for (const entry of wanted) await extract(zip, entry, targetOf(entry.fileName, include, lib), digests)
      zip.close()
      return lib
    }
  }
}

async function entriesOf (zip: ZipFile, path: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  try {
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry)
  } catch (error) {
    throw new InputError(`${path} is damaged (${messageOf(error)}): download it again`)
  }
  return entries
}

function isHeader (name: string): boolean {
  return name.endsWith('.h') && HEADERS.some((folder) => name.startsWith(INCLUDE + folder))
}

function targetOf (name: string, include: string, lib: string): string {
  return name.startsWith(INCLUDE) ? join(include, name.slice(INCLUDE.length)) : join(lib, name.slice('tensorflow/'.length))
}

/** SHA-256 in base64url by name, as the wheel's RECORD says. */
async function digestsOf (zip: ZipFile, record: Entry): Promise<Map<string, string>> {
  const lines = (await text(await zip.openReadStreamPromise(record))).split('\n')
  return new Map(lines.map((line) => line.split(',')).map(([name = '', digest = '']) => [name, digest.replace('sha256=', '')]))
}

async function extract (zip: ZipFile, entry: Entry, target: string, digests: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const hash = createHash('sha256')
  const tap = new Transform({
    transform (chunk: Buffer, _, done) {
      hash.update(chunk)
      done(null, chunk)
    }
  })
  await pipeline(await zip.openReadStreamPromise(entry), tap, createWriteStream(target))
  if (hash.digest('base64url') !== digests.get(entry.fileName)) {
    throw new InputError(`${entry.fileName} in the wheel does not have the SHA-256 that the wheel states: download it again`)
  }
}
