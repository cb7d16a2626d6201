// Who the person at this page can be. Kept in this browser; each provider knows people by other addresses.

const KEY = 'switchyard-phone-customers';

const kindsOf = {
  meta: [
    ['phone', 'Phone number'],
    ['bsuid', 'Business-scoped id only'],
  ],
  twilio: [
    ['phone', 'Phone number'],
    ['bsuid', 'Business-scoped id only'],
  ],
  evolution: [
    ['phone', 'Phone number'],
    ['lid', 'LID only'],
  ],
  webjs: [
    ['phone', 'Phone number'],
    ['lid', 'LID only'],
  ],
  instagram: [['instagram', 'Instagram id']],
};

const people = [
  { name: 'Lucía', kind: 'phone', value: '+34600111222' },
  { name: 'Tomás', kind: 'phone', value: '+5511988887777' },
  { name: 'Noa', kind: 'phone', value: '+972521234567' },
  { name: 'No phone number', kind: 'bsuid', value: 'US.13490000000000000001' },
  { name: 'Hidden number', kind: 'lid', value: '76200000000001' },
  { name: 'lucia.gram', kind: 'instagram', value: '17800000000000001' },
  { name: 'tomas.gram', kind: 'instagram', value: '17800000000000002' },
];

export function kindsFor(provider) {
  return kindsOf[provider] ?? kindsOf.meta;
}

export function customersFor(provider) {
  const kinds = kindsFor(provider).map(([kind]) => kind);
  return [...people, ...stored()].filter((customer) => kinds.includes(customer.kind));
}

export function addCustomer(customer) {
  localStorage.setItem(KEY, JSON.stringify([...stored(), customer]));
}

// The key by which the simulator knows the person.
export function keyOf(customer) {
  return customer.kind === 'phone' || customer.kind === 'lid' ? customer.value.replace(/\D/g, '') : customer.value;
}

// The fields of POST /control/inbound that say who writes.
export function senderOf(customer) {
  const sender = { profileName: customer.name };
  if (customer.kind === 'bsuid') return { ...sender, bsuid: customer.value };
  if (customer.kind === 'lid') return { ...sender, lid: customer.value };
  return { ...sender, from: customer.value };
}

// People whom the business wrote to and who are nobody of ours appear too.
export function strangerOf(threadCustomer, provider) {
  const { phone, bsuid, lid, instagramId, name } = threadCustomer;
  if (provider === 'instagram') return { name, kind: 'instagram', value: instagramId ?? threadCustomer.key };
  if (phone) return { name, kind: 'phone', value: `+${phone}` };
  return bsuid ? { name, kind: 'bsuid', value: bsuid } : { name, kind: 'lid', value: lid ?? threadCustomer.key };
}

function stored() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    // What an older page or a person wrote there is not ours to repair; start without it.
    return [];
  }
}
