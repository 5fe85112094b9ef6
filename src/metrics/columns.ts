export function metricsColumns(_impacts: readonly number[]): string[] {
  return [];
}
