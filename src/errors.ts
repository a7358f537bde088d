/** All error classes, named for the reaction they call for. The message is one plain sentence: what is wrong, where, what to do. */

/** The user can mend it (a file, a setting, a key): shown as one line, exit code 1. */
export class InputError extends Error {
  override name = 'InputError'
}

/** The command line itself is wrong: shown as one line, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A file of ours is damaged: fall back to the previous one. */
export class CorruptFileError extends Error {
  override name = 'CorruptFileError'
}

/** Two adapters or weight files do not describe the same model: never average or load. */
export class SchemaError extends Error {
  override name = 'SchemaError'
}

/** A peer broke the protocol: end the stream, change nothing, count it against the peer. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
}

/** A peer declined, with a reason and perhaps a time after which to ask again. */
export class RefusedError extends Error {
  override name = 'RefusedError'

  constructor (readonly reason: string, readonly retryAfterMs = 0) {
    super(`the peer refused: ${reason}`)
  }
}

/** A peer cannot be reached or went away in the middle: try another, and this one later. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

/** A wait reached its limit. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/** The trainer process ended or answered with a failure: restart it with back-off. */
export class TrainerError extends Error {
  override name = 'TrainerError'
}
