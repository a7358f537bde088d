import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import type { MemberView } from '../../federation/membership/members-view.ts'
import type { Revoked } from '../../federation/membership/site-membership.ts'
import { peerIdText } from '../../federation/signed.ts'
import type { Left } from '../leave.ts'

/** What the control port may ask of membership. */
export interface MembersControl {
  readonly view: () => MemberView[]
  readonly publishRevocation: (peerId: string) => Promise<Revoked>
  /** Ends this site's own membership; `although`: also where what that leaves undone has been said. */
  readonly leave: (although: boolean) => Promise<Left>
  readonly rotateKey: (overlapMs: number) => Promise<{ epoch: number, overlapUntil: string }>
}

const revocation = z.strictObject({ peerId: peerIdText })
const departure = z.strictObject({ although: z.boolean() })
const rotation = z.strictObject({ overlapMs: z.number().int().min(1_000) })

/** Answers 400 with one sentence for what the user can mend. */
export function membershipRoutes (app: FastifyInstance, members: MembersControl | undefined): void {
  app.get('/members', () => members?.view() ?? [])
  app.post(
    '/membership/revoke',
    async (
      request,
      reply
    ) => await answer(reply, async () => await present(members).publishRevocation(checked(revocation, request.body).peerId))
  )
  app.post(
    '/membership/leave',
    async (request, reply) => await answer(reply, async () => await present(members).leave(checked(departure, request.body).although))
  )
  app.post(
    '/membership/rotate-key',
    async (request, reply) => await answer(reply, async () => await present(members).rotateKey(checked(rotation, request.body).overlapMs))
  )
}

async function answer<T> (reply: FastifyReply, work: () => Promise<T>): Promise<T | { error: string }> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    reply.code(400)
    return { error: error.message }
  }
}

function present (members: MembersControl | undefined): MembersControl {
  if (members == null) throw new InputError('this daemon runs alone, without the network: stop it and run the command again')
  return members
}

function checked<T> (schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new InputError(`the request is malformed: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
  return parsed.data
}
