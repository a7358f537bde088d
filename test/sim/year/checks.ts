import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { LedgerAccount, reconcile } from '../../../src/audit/reconcile.ts'
import { verifyLedger } from '../../../src/audit/verify.ts'
import { readRestored } from '../../../src/home/backup.ts'
import type { Year } from './year.ts'
import type { YearSite } from './year-site.ts'

/** Of Σw·x, for each unit of mass: float32 in thousands of steps. */
const TOLERANCE = 1e-3

/** Σw·x over the sites that are members, those that are away among them, is what the account says. */
export function checkSum ({ living, account }: Year, what: string): void {
  const mass = living.reduce((sum, each) => sum + each.part.mass, 0)
  account.expected.forEach((expected, i) => {
    const sum = living.reduce((all, { part }) => all + part.mass * part.values[i]!, 0)
    expect(sum, `${what}, number ${i}`).to.be.closeTo(expected, TOLERANCE * mass)
  })
}

/** All are in one round, know the same statements and documents, have the same network key, and let each other in. */
export function checkTogether ({ up }: Year, round: number, what: string): void {
  const same = (of: (site: YearSite) => unknown): unknown[] => [...new Set(up.map(of))]
  expect(up.map((each) => `${each.name} ${each.round}`), what).to.deep.equal(up.map((each) => `${each.name} ${round}`))
  const different = [
    same(({ known }) => known),
    same(({ running: { membership } }) => membership.ring.current),
    same(({ running: { site } }) => site.federation.document.created)
  ]
  expect(different.map(({ length }) => length), what).to.deep.equal(different.map(() => 1))
  for (const one of up) {
    const apart = up.filter((other) => other !== one && !one.isWith(other))
    expect(apart.map(({ name }) => name), `${what}: ${one.name} is without`).to.deep.equal([])
  }
}

/** Nothing is in doubt but with a key whose disk was lost, and no restored home is held back. */
export async function checkSettled ({ up }: Year, lost: ReadonlySet<string>, what: string): Promise<void> {
  for (const site of up) {
    expect([...site.averager.doubts.keys()].filter((each) => !lost.has(each)), `${what}: ${site.name} in doubt`).to.deep.equal([])
    expect(await readRestored(site.paths), `${what}: ${site.name} restored`).to.equal(undefined)
  }
}

/** Every ledger holds by itself, and any two agree on what both of them hold. Returns how many exchanges were held against each other. */
export async function checkLedgers ({ up }: Year, what: string): Promise<number> {
  const accounts: LedgerAccount[] = []
  for (const { name, peerId, paths, running: { audit, site } } of up) {
    await audit.flush()
    const account = new LedgerAccount(peerId)
    const { problems } = await verifyLedger(paths.audit, { peerId, federation: site.federation.id }, account.add)
    expect(problems, `${what}: ledger of ${name}`).to.deep.equal([])
    accounts.push(account)
  }
  let matched = 0
  accounts.forEach((one, i) => {
    for (const other of accounts.slice(i + 1)) {
      const found = reconcile(one, other)
      const both = found.differences.filter(({ id }) => one.stateOf(id) != null && other.stateOf(id) != null)
      expect(both, `${what}: ${one.peerId} ${other.peerId}`).to.deep.equal([])
      matched += found.matched
    }
  })
  return matched
}

/** Bytes of files below a folder, by their first folder. */
export async function bytesBelow (folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const [first = ''] = path.slice(folder.length + 1).split('/')
    // What is written aside gets its name meanwhile.
    const { size } = await stat(path).catch(() => ({ size: 0 }))
    sizes[first] = (sizes[first] ?? 0) + size
  }
  return sizes
}
