/** Keeps a federation's promise of differential privacy (docs/privacy.md). */
export interface PrivacyGuard {
  /** No more phases G may be trained: ε is spent, or what is spent is not known. */
  readonly isSpent: boolean
  /** Then the site ends its rounds; otherwise it does everything else. */
  readonly endsWhenSpent: boolean
  /**
   * The price is on disk when it resolves; the landing may follow, hidden so. Undefined where it could not be paid: nothing may land.
   */
  readonly spend: (release: { readonly round: number, readonly steps: number }) => Promise<Hidden | undefined>
}

interface Hidden {
  /** Missing where the trainer's own steps were noised. */
  readonly hide?: (delta: Float32Array) => Float32Array
}
