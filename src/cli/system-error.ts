import { SYSTEM_ERRORS } from '../common/system-error.ts'

/** A file that cannot be opened, a full disk: what comes from the system rather than from this program. */
export function isSystemError (error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** One plain sentence, with the path where the system gave one; its own words where there is none for the code. */
export function describeSystemError ({ code, path, message }: NodeJS.ErrnoException): string {
  return SYSTEM_ERRORS[code ?? '']?.sentence(path ?? 'a file') ?? message
}
