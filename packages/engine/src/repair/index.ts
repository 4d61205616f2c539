export { isOfDatabase, planRepairs } from './plan.js';
export type { RepairInput } from './project.js';
export { phases, type Declaration, type Phase, type RepairPlan, type RepairStep, type Unrepaired } from './step.js';
