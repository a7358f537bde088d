import { TimeoutError } from '../../errors.ts'

export interface Limit {
  readonly ms: number
  /** Completes "no … within N ms". */
  readonly what: string
  readonly signal?: AbortSignal
}

/** The promise's result; rejects with TimeoutError when it takes longer, or with the signal's reason. The work itself is not stopped. */
export async function within<T> (work: Promise<T>, { ms, what, signal }: Limit): Promise<T> {
  signal?.throwIfAborted()
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => { reject(new TimeoutError(`no ${what} within ${ms} ms`)) }, ms)
  const onAbort = (): void => { reject(signal?.reason as Error) }
  signal?.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, stopped])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
