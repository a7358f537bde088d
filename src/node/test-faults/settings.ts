import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { InputError } from '../../errors.ts'

/** Where the testnet writes down what a site has to suffer; nothing else sets it. */
export const FAULTS_VARIABLE = 'CONSILIUM_TEST_FAULTS'

export const LIES = ['noise', 'drift', 'flip'] as const
export type LieKind = typeof LIES[number]

const round = z.number().int().min(1)

const testFaults = z.strictObject({
  /** Of every random draw below. */
  seed: z.number().int().min(0).default(0),
  /** Probability with which each frame of an exchange or outcome stream is lost, and the stream with it. */
  loss: z.number().min(0).lt(1).default(0),
  /** Every training step takes this many times as long. */
  slow: z.number().min(1).max(1_000).default(1),
  /** Every outgoing vector gets normal noise of this many times its distance to the federation's start. */
  liar: z.number().min(0).default(0),
  /** Kind of what a liar sends: noise as above, or what drags its partners one way, or the mirror image of its adapter. */
  lie: z.enum(LIES).default('noise'),
  /** Sites that are not connected to while this one is in the rounds from … to. */
  apart: z.array(z.strictObject({ peers: z.array(z.string().min(1)), from: round, to: round })).default([])
})

export type TestFaults = z.infer<typeof testFaults>
export type TestFaultsInput = z.input<typeof testFaults>

/**
 * The faults that this process is told to suffer, undefined in every real site. @throws InputError for a variable that says nothing
 * sensible.
 */
export function readTestFaults (env: NodeJS.ProcessEnv): TestFaults | undefined {
  const text = env[FAULTS_VARIABLE]
  if (text == null || text === '') return undefined
  const parsed = testFaults.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new InputError(
    `the environment variable ${FAULTS_VARIABLE} is for the testnet only and is malformed (${issue?.path.join('.') || 'value'}: ${
      issue?.message ?? 'invalid'
    }): unset it`
  )
}
