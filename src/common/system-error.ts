/** What a code of the system means: as a reason without a name, and as a sentence about a place with what to do. */
interface Meaning {
  readonly reason: string
  readonly sentence: (place: string) => string
}

const DENIED: Meaning = {
  reason: 'access is denied',
  sentence: (place) =>
    `${place} cannot be read or written: permission is denied; run this as the user who owns it, or name another place`
}
const FULL: Meaning = {
  reason: 'the disk is full',
  sentence: (place) => `${place} cannot be written: the disk is full; make room and run this again`
}

/** By the system's code. */
export const SYSTEM_ERRORS: Readonly<Record<string, Meaning>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: {
    reason: 'its disk is read-only',
    sentence: (place) => `${place} cannot be written: its disk is read-only; name another place`
  },
  ENOENT: { reason: 'it does not exist', sentence: (place) => `${place} does not exist: check the name` },
  EISDIR: { reason: 'it is a folder', sentence: (place) => `${place} is a folder where a file is needed: name a file` },
  ENOTDIR: {
    reason: 'part of its path is not a folder',
    sentence: (place) => `${place} is not a folder, or lies below a file: check the name`
  },
  EEXIST: {
    reason: 'something is in the way',
    sentence: (place) => `${place} exists already and is in the way: move it, or name another place`
  },
  ENOSPC: FULL,
  EDQUOT: FULL
}

/** Why a file could not be read or written, without its name; `missing` is what is not there when something is not. */
export function systemReason (error: unknown, missing = 'it'): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return `${missing} does not exist`
  return SYSTEM_ERRORS[code]?.reason ?? `the system refused it${code === '' ? '' : ` (${code})`}`
}
