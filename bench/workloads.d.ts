declare module 'bench:workloads' {
  export const files: Readonly<Record<string, readonly import('./workload.ts').Workload[]>>
}
