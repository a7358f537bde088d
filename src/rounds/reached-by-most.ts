/** Of these rounds, ascending, the latest that more than half have reached, counted with one more site that is behind them. */
export function reachedByMost (rounds: readonly number[]): number | undefined {
  return rounds[Math.max(0, Math.floor(rounds.length / 2) - 1)]
}
