import type { HealthyAccountView } from '@switchyard/contract';
import { useTranslation } from 'i18next-vue';
import { computed, ref } from 'vue';
import { type AccountAct, useAccountAct, useRemoveAccount } from '../../api/accounts.ts';
import { useSession } from '../../api/session.ts';
import { useTold } from '../../components/use-told.ts';

export type Act = AccountAct | 'remove';

/** What is offered in which state; the server refuses what has become impossible meanwhile, and says the state. */
const offers = {
  reconnect: { icon: 'i-lucide-plug', isOffered: ({ status }) => status === 'disconnected' || status === 'error' },
  disconnect: { icon: 'i-lucide-unplug', isOffered: ({ status }) => status !== 'disconnected' },
  'set-primary': { icon: 'i-lucide-star', isOffered: ({ isPrimary }) => !isPrimary },
  remove: { icon: 'i-lucide-trash-2', isOffered: () => true },
} as const satisfies Record<Act, { icon: string; isOffered: (account: HealthyAccountView) => boolean }>;

/** Acts that end something: they are asked about first. */
const askedFirst: ReadonlySet<Act> = new Set(['disconnect', 'remove']);

export function useActs(account: () => HealthyAccountView, onRemoved: () => void = () => {}) {
  const { t } = useTranslation();
  const { may } = useSession();
  const { tellDone, tellRefused } = useTold();
  const move = useAccountAct();
  const removal = useRemoveAccount();
  const asked = ref<Act | null>(null);

  const offered = computed(() =>
    (Object.keys(offers) as Act[])
      .filter((act) => may('accounts:write') && offers[act].isOffered(account()))
      .map((act) => ({ act, label: t(`account.act.${act}`), icon: offers[act].icon, isGrave: askedFirst.has(act) })),
  );

  function choose(act: Act): void {
    if (askedFirst.has(act)) asked.value = act;
    else carryOut(act);
  }

  function carryOut(act: Act): void {
    const { id, name } = account();
    const onSuccess = () => {
      asked.value = null;
      tellDone(t(`account.done.${act}`, { name }));
      if (act === 'remove') onRemoved();
    };
    if (act === 'remove') removal.mutate(id, { onError: tellRefused, onSuccess });
    else move.mutate({ id, act }, { onError: tellRefused, onSuccess });
  }

  const isBusy = computed(() => move.isPending.value || removal.isPending.value);
  return { offered, asked, choose, carryOut, isBusy };
}
