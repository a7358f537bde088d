import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../common/child-environment.ts'
import { InputError } from '../errors.ts'
import type { PacsRead } from './read-pacs.ts'

export interface PacsQuestion { readonly address: string, readonly home: string, readonly pacsCache: number }
export type PacsAnswer = { readonly read: PacsRead } | { readonly refused: string, readonly isOurs: boolean }

/**
 * `readFromPacs` in a process of its own: for a daemon, which is to hold no pixels, and whose trainer has no network. @throws InputError
 */
export async function readInChild (question: PacsQuestion): Promise<PacsRead> {
  const entry = fileURLToPath(new URL(`./main${extname(import.meta.filename)}`, import.meta.url))
  const child = fork(entry, { env: childEnvironment(process.env), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = new AbortController()
  child.once('exit', () => { ended.abort() })
  child.send(question)
  const said = await once(child, 'message', { signal: ended.signal }).catch(() => undefined) as [PacsAnswer] | undefined
  if (said == null) throw new Error('the process that reads the PACS ended without an answer')
  const [answer] = said
  if ('read' in answer) return answer.read
  throw answer.isOurs ? new InputError(answer.refused) : new Error(answer.refused)
}
