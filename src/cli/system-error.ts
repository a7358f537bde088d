/** What is wrong with the place, and what to do. */
const SENTENCES: Record<string, (place: string) => string> = {
  EACCES: denied,
  EPERM: denied,
  EROFS: (place) => `${place} cannot be written: its disk is read-only; name another place`,
  ENOENT: (place) => `${place} does not exist: check the name`,
  EISDIR: (place) => `${place} is a folder where a file is needed: name a file`,
  ENOTDIR: (place) => `${place} is not a folder, or lies below a file: check the name`,
  EEXIST: (place) => `${place} exists already and is in the way: move it, or name another place`,
  ENOSPC: full,
  EDQUOT: full
}

function denied (place: string): string {
  return `${place} cannot be read or written: permission is denied; run this as the user who owns it, or name another place`
}

function full (place: string): string {
  return `${place} cannot be written: the disk is full; make room and run this again`
}

/** A file that cannot be opened, a full disk: what comes from the system rather than from this program. */
export function isSystemError (error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** One plain sentence, with the path where the system gave one; its own words where there is none for the code. */
export function describeSystemError ({ code, path, message }: NodeJS.ErrnoException): string {
  return SENTENCES[code ?? '']?.(path ?? 'a file') ?? message
}
