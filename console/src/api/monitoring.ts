import {
  alarmTargetSchema,
  balanceSchema,
  canaryRunSchema,
  canaryScheduleSchema,
  foundTraceSchema,
  incidentSchema,
  madeAlarmTargetSchema,
  pageOf,
  testedTargetSchema,
  watchedNumberSchema,
} from '@switchyard/contract';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref } from 'vue';
import { ask, tell } from './client.ts';
import { queryClient } from './query-client.ts';

const incidentPageSchema = pageOf(incidentSchema);
const targetPageSchema = pageOf(alarmTargetSchema);
const numberPageSchema = pageOf(watchedNumberSchema);
const tracePageSchema = pageOf(foundTraceSchema);

export interface BalanceAsk {
  readonly account: string | undefined;
  readonly hours: number;
}

/** Counted anew every half a minute: a page that is left open stays true. */
const countAgainMs = 30_000;

export function useBalance(asked: Ref<BalanceAsk>) {
  return useQuery({
    queryKey: ['balance', asked],
    queryFn: ({ signal }) => {
      const { account, hours } = asked.value;
      const from = new Date(Date.now() - hours * 3_600_000).toISOString();
      return ask(balanceSchema, 'GET', '/monitoring/balance', { query: { account, from }, signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: countAgainMs,
  });
}

export function useAlarms() {
  return useQuery({
    queryKey: ['alarms'],
    queryFn: ({ signal }) => ask(incidentPageSchema, 'GET', '/monitoring/alarms', { query: { limit: 50 }, signal }),
  });
}

/** For the bell and the banner: those that are open, at most 200. */
export function useOpenIncidents() {
  const { data } = useQuery({
    queryKey: ['alarms', 'open'],
    queryFn: ({ signal }) =>
      ask(incidentPageSchema, 'GET', '/monitoring/alarms', { query: { state: 'open', limit: 200 }, signal }),
  });
  return computed(() => data.value?.data ?? []);
}

export function useNumbers() {
  return useQuery({
    queryKey: ['numbers'],
    queryFn: ({ signal }) => ask(numberPageSchema, 'GET', '/monitoring/numbers', { signal }),
    // A canary is on its way for as long as it runs.
    refetchInterval: ({ state }) =>
      state.data?.data.some(({ canary }) => canary.lastRun?.state === 'running') ? 1_000 : countAgainMs,
  });
}

const readNumbers = () => queryClient.invalidateQueries({ queryKey: ['numbers'] });

export function useSendCanary() {
  return useMutation({
    mutationFn: (accountId: string) => ask(canaryRunSchema, 'POST', `/monitoring/numbers/${accountId}/canary`),
    onSuccess: readNumbers,
  });
}

export function useScheduleCanary() {
  return useMutation({
    mutationFn: ({ accountId, everyMinutes }: { accountId: string; everyMinutes: number | null }) =>
      ask(canaryScheduleSchema, 'PATCH', `/monitoring/numbers/${accountId}`, { body: { everyMinutes } }),
    onSuccess: readNumbers,
  });
}

const readTargets = () => queryClient.invalidateQueries({ queryKey: ['alarm-targets'] });

export function useTargets(isAllowed: Ref<boolean>) {
  return useQuery({
    queryKey: ['alarm-targets'],
    queryFn: ({ signal }) => ask(targetPageSchema, 'GET', '/monitoring/alarm-targets', { signal }),
    enabled: isAllowed,
  });
}

export function useAddTarget() {
  return useMutation({
    mutationFn: (target: { kind: 'email' | 'webhook'; address: string }) =>
      ask(madeAlarmTargetSchema, 'POST', '/monitoring/alarm-targets', { body: target }),
    onSuccess: readTargets,
  });
}

export function useRemoveTarget() {
  return useMutation({
    mutationFn: (id: string) => tell('DELETE', `/monitoring/alarm-targets/${id}`),
    onSuccess: readTargets,
  });
}

export function useTestTarget() {
  return useMutation({
    mutationFn: (id: string) => ask(testedTargetSchema, 'POST', `/monitoring/alarm-targets/${id}/test`),
    onSettled: readTargets,
  });
}

export function useTraces(query: Ref<string>) {
  return useQuery({
    queryKey: ['traces', query],
    queryFn: ({ signal }) => ask(tracePageSchema, 'GET', '/monitoring/traces', { query: { q: query.value }, signal }),
    enabled: () => query.value !== '',
  });
}
