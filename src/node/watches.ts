import { LAPSE_MS } from '../rounds/notices.ts'
import { DiskWatch } from './disk-watch.ts'
import { freeBytes } from './metrics/read-site.ts'
import { Notifier } from './notifying/notifier.ts'
import { sender } from './notifying/send.ts'
import type { Site } from './site.ts'

/** Looks after the disk, and tells whoever is to be told; ends with what it returns. */
export function startWatches (site: Pick<Site, 'config' | 'name' | 'notices' | 'paths' | 'peerId'>): () => Promise<void> {
  const { config: { notify, notifyAloneHours, proxy }, notices, paths } = site
  const disk = new DiskWatch({ free: async () => await freeBytes(paths.home), notices })
  disk.start()
  const notifier = notify == null
    ? undefined
    : new Notifier({ site, send: sender(notify, proxy), aloneMs: notifyAloneHours * LAPSE_MS.hour, now: Date.now })
  notifier?.start()
  return async () => {
    disk.stop()
    await notifier?.stop()
  }
}
