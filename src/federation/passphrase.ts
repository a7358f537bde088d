import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'

/** 64 MiB and a fifth of a second per try. */
const COST = { N: 65_536, r: 8, p: 1, maxmem: 134_217_728 }
const KEY_BYTES = 32
const VARIABLE = 'CONSILIUM_PASSPHRASE'

const bytes = z.base64().max(1_000)
const sealed = z.strictObject({
  consilium: z.literal('identity'),
  peerId: z.string(),
  kdf: z.literal('scrypt-65536-8-1'),
  salt: bytes,
  nonce: bytes,
  tag: bytes,
  data: bytes
})

export type Sealed = z.infer<typeof sealed>

/** scrypt and AES-256-GCM. The peer id stays readable and is authenticated. */
export async function seal (secret: Uint8Array, peerId: string, passphrase: string): Promise<Sealed> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt), nonce).setAAD(Buffer.from(peerId))
  const data = Buffer.concat([cipher.update(secret), cipher.final()])
  return {
    consilium: 'identity',
    peerId,
    kdf: 'scrypt-65536-8-1',
    salt: salt.toString('base64'),
    nonce: nonce.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64')
  }
}

/** What `seal` made, or undefined where the bytes are something else. */
export function parseSealed (file: Uint8Array): Sealed | undefined {
  return sealed.safeParse(parseJson(Buffer.from(file).toString('utf8'))).data
}

/** @throws InputError for a wrong passphrase or a changed file. */
export async function unseal ({ peerId, salt, nonce, tag, data }: Sealed, passphrase: string, path: string): Promise<Buffer> {
  const decipher = createDecipheriv('aes-256-gcm', await derive(passphrase, Buffer.from(salt, 'base64')), Buffer.from(nonce, 'base64'), {
    authTagLength: 16
  }).setAAD(Buffer.from(peerId))
  try {
    decipher.setAuthTag(Buffer.from(tag, 'base64'))
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
  } catch {
    throw new InputError(`${path}: the passphrase is wrong, or the file was changed`)
  }
}

const LEAST_CHARACTERS = 10
const LEAST_DIFFERENT = 5

/** Before a key is sealed with it. @throws InputError for one that whoever has the file finds by trying */
export function requireStrong (passphrase: string): void {
  if (passphrase === '') throw new InputError('an empty passphrase protects nothing: nothing was changed')
  if ([...passphrase].length >= LEAST_CHARACTERS && new Set(passphrase).size >= LEAST_DIFFERENT) return
  throw new InputError(
    `a passphrase needs at least ${LEAST_CHARACTERS} characters, ${LEAST_DIFFERENT} of them different, such as four words: ` +
      'nothing was changed'
  )
}

/** From the environment, else asked for on a terminal. @throws InputError where there is neither. */
export async function askPassphrase (question: string, variable = VARIABLE): Promise<string> {
  const given = process.env[variable]
  if (given != null && given !== '') return given
  if (!process.stdin.isTTY) {
    throw new InputError(`the ${question} cannot be asked for without a terminal: set ${variable}, or run the command on a terminal`)
  }
  return await ask(question)
}

/** A passphrase from the environment for a new key; undefined to leave it unprotected. */
export function givenPassphrase (): string | undefined {
  const given = process.env[VARIABLE]
  return given === '' ? undefined : given
}

/** What is typed is not shown. */
async function ask (question: string): Promise<string> {
  process.stderr.write(`${question}: `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => { done() } })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

async function derive (passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, COST, (error, key) => { if (error == null) resolve(key); else reject(error) })
  })
}
