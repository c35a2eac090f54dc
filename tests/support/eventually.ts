export { until as eventually } from "./wait.ts";
