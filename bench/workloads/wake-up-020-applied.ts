import { wakeUpWith } from '../wake-up.ts'

export default wakeUpWith(20, 10)
