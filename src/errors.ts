/** All error classes, named for the reaction they call for. The message is one plain sentence: what is wrong, where, what to do. */

/**
 * The user can mend it (a file, a setting, a key): shown as one line, exit code 1.
 * @example
 * ```ts
 * import { InputError, readFederation } from 'consilium'
 *
 * const error: unknown = await readFederation('no/federation.json').catch((reason: unknown) => reason)
 * console.log(error instanceof InputError) // true
 * ```
 */
export class InputError extends Error {
  override name = 'InputError'
}

/**
 * The command line itself is wrong: shown as one line, exit code 2.
 * @example
 * ```ts
 * import { loadConfig, UsageError } from 'consilium'
 *
 * const error: unknown = await loadConfig('config.json', { nice: 99 }).catch((reason: unknown) => reason)
 * console.log(error instanceof UsageError) // true
 * ```
 */
export class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * A file of ours is damaged: fall back to the previous one.
 * @example
 * ```ts
 * import { CorruptFileError, readSafetensors } from 'consilium'
 *
 * try {
 *   readSafetensors(new Uint8Array(3))
 * } catch (error) {
 *   console.log(error instanceof CorruptFileError) // true
 * }
 * ```
 */
export class CorruptFileError extends Error {
  override name = 'CorruptFileError'
}

/**
 * Two adapters or weight files do not describe the same model: never average or load.
 * @example
 * ```ts
 * import { createSchema, SchemaError } from 'consilium'
 *
 * try {
 *   createSchema({ model: 'toy', baseHash: '00', tensors: [] })
 * } catch (error) {
 *   console.log(error instanceof SchemaError) // true
 * }
 * ```
 */
export class SchemaError extends Error {
  override name = 'SchemaError'
}

/**
 * A peer broke the protocol: end the stream, change nothing, count it against the peer.
 * @example
 * ```ts
 * import { ProtocolError } from 'consilium'
 *
 * const isTheirFault = (error: unknown): boolean => error instanceof ProtocolError
 * console.log(isTheirFault(new ProtocolError('the partner states the impossible round -1'))) // true
 * ```
 */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
}

/**
 * A peer declined, with a reason and perhaps a time after which to ask again.
 * @example
 * ```ts
 * import { RefusedError } from 'consilium'
 *
 * const { reason, retryAfterMs } = new RefusedError('BUSY', 500)
 * console.log(reason, retryAfterMs) // BUSY 500
 * ```
 */
export class RefusedError extends Error {
  override name = 'RefusedError'

  constructor (readonly reason: string, readonly retryAfterMs = 0) {
    super(`the peer refused: ${reason}`)
  }
}

/**
 * A peer cannot be reached or went away in the middle: try another, and this one later.
 * @example
 * ```ts
 * import { UnreachableError } from 'consilium'
 *
 * const mayTryLater = (error: unknown): boolean => error instanceof UnreachableError
 * console.log(mayTryLater(new UnreachableError('the peer went away'))) // true
 * ```
 */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

/**
 * A wait reached its limit.
 * @example
 * ```ts
 * import { TimeoutError } from 'consilium'
 *
 * const tookTooLong = (error: unknown): boolean => error instanceof TimeoutError
 * console.log(tookTooLong(new TimeoutError('no answer in 5 s'))) // true
 * ```
 */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/**
 * The trainer process ended or answered with a failure: restart it with back-off.
 * @example
 * ```ts
 * import { TrainerError } from 'consilium'
 *
 * const isOfTrainer = (error: unknown): boolean => error instanceof TrainerError
 * console.log(isOfTrainer(new TrainerError('the trainer process ended'))) // true
 * ```
 */
export class TrainerError extends Error {
  override name = 'TrainerError'
}
