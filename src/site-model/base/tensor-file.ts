/** A weight file whose tensors are read one at a time, so that a file of gigabytes needs little memory. */
export interface TensorFile {
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Row-major float32 values of one tensor. */
  read (name: string): Promise<Float32Array>
  close (): Promise<void>
}
