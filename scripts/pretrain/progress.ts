import { SingleBar } from 'cli-progress'
import type { Scores } from './training/scores.ts'

export interface PretrainProgress {
  /** Steps done and to do. */
  readonly step: number
  readonly steps: number
  /** Mean training loss of the last steps. */
  readonly loss: number
  readonly millisecondsPerStep: number
  /** Latest held-out scores. */
  readonly scores?: Scores | undefined
}

/** Shows progress until it is stopped. */
export interface ProgressView {
  show (progress: PretrainProgress): void
  stop (): void
}

/** One line of text for scores. */
export function describeScores (scores: Scores | undefined): string {
  return scores == null ? 'not scored yet' : Object.entries(scores).map(([prompt, value]) => `${prompt} ${value.toFixed(3)}`).join(' ')
}

function bar (stream: NodeJS.WriteStream): ProgressView {
  const view = new SingleBar({
    stream,
    format: 'pretraining {bar} {value}/{total}  loss {loss}  IoU {scores}  {eta_formatted} left',
    etaBuffer: 50
  })
  let started = false
  return {
    show ({ step, steps, loss, scores }) {
      const payload = { loss: loss.toFixed(3), scores: describeScores(scores) }
      if (started) view.update(step, payload)
      else view.start(steps, step, payload)
      started = true
    },
    stop () { view.stop() }
  }
}

/** A line now and then: at every new score, else every `every` steps. */
function lines (write: (line: string) => void, every = 50): ProgressView {
  let last: Scores | undefined
  return {
    show ({ step, steps, loss, millisecondsPerStep, scores }) {
      if (step % every !== 0 && step !== steps && scores === last) return
      last = scores
      write(`step ${step}/${steps}  loss ${loss.toFixed(3)}  ${millisecondsPerStep.toFixed(0)} ms/step  IoU ${describeScores(scores)}`)
    },
    stop () {}
  }
}

/** A bar on a terminal, plain lines elsewhere. */
export function progressView (stream: NodeJS.WriteStream): ProgressView {
  return stream.isTTY ? bar(stream) : lines((line) => { stream.write(`${line}\n`) })
}
