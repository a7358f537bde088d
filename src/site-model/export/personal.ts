import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeSafetensors } from '../../adapter/safetensors.ts'
import { InputError } from '../../errors.ts'
import { isMissing, writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import type { WhichRound } from '../../home/round-adapter.ts'
import { PrivateStore } from '../private-store.ts'
import { openSiteModel } from '../site-model.ts'

const OTHERS = 0o077

/**
 * Writes the global adapter with what stays at the site, for this user alone. @throws InputError into a folder that others on the machine
 * can enter, and where nothing stays
 */
export async function exportPersonal (
  home: string,
  round: WhichRound,
  out: string
): Promise<{ round: number, tensors: number, kept: number }> {
  await requireOwnFolder(dirname(out))
  const site = await openSiteModel(home, {}, round)
  try {
    const { learner, adapter } = site
    const kept = await new PrivateStore(sitePaths(home).privateStore, learner.schema.hash).load()
    if (kept == null) throw new InputError(`${home} keeps nothing to itself yet: what is trained goes out with export alone`)
    const tensors = new Map([...adapter.tensors(), ...kept.set.reveal()])
    await writeFileSafely(out, writeSafetensors(tensors, {
      round: String(site.round),
      schema_hash: learner.schema.hash,
      contains: 'private parameters of one site: not to leave it'
    }))
    return { round: site.round, tensors: tensors.size, kept: kept.set.reveal().size }
  } finally {
    await site.close()
  }
}

/** A folder that is not there yet is made for this user alone. */
async function requireOwnFolder (folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (found == null || process.platform === 'win32' || (found.mode & OTHERS) === 0) return
  throw new InputError(`others on this machine can enter ${folder}: name a folder that is yours alone, or one that is not there yet`)
}
