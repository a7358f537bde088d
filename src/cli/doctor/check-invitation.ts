import { knownAddresses } from '../../federation/hints.ts'
import { readPeerId } from '../../federation/identity.ts'
import { decodeInvitation, type Invitation } from '../../federation/membership/invitation.ts'
import { sitePaths } from '../../home/paths.ts'
import { checkClock, type Check } from './checks.ts'

const DAY_MS = 86_400_000

/** What an invitation says by itself: whose it is, how long it is good, and whether this clock agrees. @throws InputError for none. */
export async function checkInvitation (home: string, text: string, now: number): Promise<{ invitation: Invitation, steps: Check[] }> {
  const invitation = await decodeInvitation(text)
  const { certificate, federation, bootstrap } = invitation
  const own = await readPeerId(sitePaths(home).identity).catch(() => undefined)
  const { length } = knownAddresses(bootstrap, federation.document)
  const steps: Check[] = [{ name: 'invitation', ok: true, detail: `to "${federation.document.name}", with ${length} addresses` }]
  if (own != null && certificate != null && certificate.peerId !== own) {
    steps.push({ name: 'invitation', ok: false, detail: `is for ${certificate.peerId}, and this home is ${own}: have this one invited` })
  }
  steps.push(certificate == null ? checkClock(now, Date.parse(federation.document.created)) : checkDates(certificate, now))
  return { invitation, steps }
}

function checkDates ({ from, to }: { readonly from: string, readonly to: string }, now: number): Check {
  const time = new Date(now).toISOString()
  if (now < Date.parse(from) - DAY_MS) {
    return { name: 'clock', ok: false, detail: `${time} here, and the invitation is from ${from}: set the clock, best by NTP` }
  }
  return now > Date.parse(to)
    ? { name: 'clock', ok: false, detail: `the invitation ended ${to}, and here it is ${time}: ask for a new one, or set the clock` }
    : { name: 'clock', ok: true, detail: `${time}, and the invitation is good until ${to}` }
}
