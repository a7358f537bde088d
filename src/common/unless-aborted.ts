/** What the promise brings, or the signal's reason as soon as that is aborted. */
export async function unlessAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => { /* after a stop nobody else asks */ })
  signal.throwIfAborted()
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    }, { once: true })
  })
  return await Promise.race([promise, stopped])
}
