import { InputError } from '../../errors.ts'
import { readInstance, type Instance } from './instance.ts'

/** What the headers of many files say; reasons hold no file name. */
export interface Survey {
  readonly instances: readonly Instance[]
  readonly refused: readonly { readonly file: string, readonly reason: string }[]
}

/** Files read beside each other: disks answer several as fast as one. */
const BESIDE = 8

/** Reads the headers of files, and no more of them. */
export async function surveyFiles (files: readonly string[], signal?: AbortSignal): Promise<Survey> {
  const instances: Instance[] = []
  const refused: { file: string, reason: string }[] = []
  for (let at = 0; at < files.length; at += BESIDE) {
    signal?.throwIfAborted()
    await Promise.all(files.slice(at, at + BESIDE).map(async (file) => {
      try {
        instances.push(await readInstance(file))
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        refused.push({ file, reason: error.message })
      }
    }))
  }
  // Which file of a group is answered first is chance.
  const byFile = <T extends { readonly file: string }>(all: readonly T[]): T[] => all.toSorted((a, b) => a.file < b.file ? -1 : 1)
  return { instances: byFile(instances), refused: byFile(refused) }
}
