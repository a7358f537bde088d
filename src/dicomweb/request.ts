import { setTimeout as pause } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import { failureOf, statusOf, SLOW } from './failures.ts'

/** How one service is asked. */
export interface RequestInit {
  readonly base: string
  readonly authorization?: string | undefined
  /** ms for the beginning of an answer, and for each part of it */
  readonly waitMs?: number
  readonly signal?: AbortSignal | undefined
}

interface Asked {
  readonly accept: string
  /** bytes of an answer that are read */
  readonly most: number
  readonly body?: { readonly body: Buffer<ArrayBuffer>, readonly type: string }
}

export interface Answer { readonly status: number, readonly type: string, readonly body: Buffer }

const WAIT_MS = 60_000
/** A PACS that is busy is asked again after these ms. */
const AGAIN_MS = [500, 2_000]
const BUSY = new Set([429, 502, 503, 504])
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws InputError where a password would cross the network unprotected */
export function requireSafe ({ base, authorization }: RequestInit): void {
  const { protocol, hostname } = new URL(base)
  if (authorization == null || protocol === 'https:' || LOOPBACK.has(hostname)) return
  throw new InputError('the PACS wants a password, which goes over https alone: name it as dicomweb+https://…')
}

/** Asks once, or again where the PACS is busy. @throws InputError, one sentence for each way to fail, without what was asked for */
export async function request (init: RequestInit, path: string, asked: Asked): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await requestOnce(init, path, asked)
    const restMs = asked.body == null && BUSY.has(answer.status) ? AGAIN_MS[tries] : undefined
    if (restMs == null) {
      const failure = statusOf(answer.status)
      if (failure != null) throw new InputError(failure)
      return answer
    }
    await pause(restMs, undefined, init.signal == null ? {} : { signal: init.signal })
  }
}

async function requestOnce ({ base, authorization, waitMs = WAIT_MS, signal }: RequestInit, path: string, asked: Asked): Promise<Answer> {
  const { accept, most, body } = asked
  const slow = new AbortController()
  const timer = setTimeout(() => { slow.abort() }, waitMs)
  try {
    const response = await fetch(base + path, {
      method: body == null ? 'GET' : 'POST',
      redirect: 'manual',
      headers: {
        accept,
        ...authorization == null ? {} : { authorization },
        ...body == null ? {} : { 'content-type': body.type }
      },
      ...body == null ? {} : { body: body.body },
      signal: AbortSignal.any([slow.signal, ...signal == null ? [] : [signal]])
    })
    const read = await readBody(response, most, () => { timer.refresh() })
    return { status: response.status, type: response.headers.get('content-type') ?? '', body: read }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof InputError ? error : new InputError(slow.signal.aborted ? SLOW : failureOf(error))
  } finally {
    clearTimeout(timer)
  }
}

async function readBody (response: Response, most: number, onPart: () => void): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  onPart()
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    onPart()
    size += part.length
    if (size > most) throw new InputError(`the PACS sent an answer of more than ${Math.round(most / 2 ** 20)} MiB`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
