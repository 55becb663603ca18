import { useAssociations, useCrmProperties } from '@hubspot/ui-extensions/crm';

const contact = '0-1';
const company = '0-2';

const ofContacts = ['phone', 'mobilephone', 'hs_whatsapp_phone_number'];
const ofCompanies = ['phone'];

type Properties = Record<string, string | null>;

export type Phones = { phones: string[]; isLoading: boolean; error: Error | null };

// Each phone once, without the marks that people put between digits.
function read(records: Properties[], names: string[]): string[] {
  const all = records.flatMap((record) => names.map((name) => record[name] ?? ''));
  const plain = all.map((phone) => phone.replace(/[\s().-]/g, ''));
  return [...new Set(plain)].filter((phone) => phone !== '');
}

// Contacts and companies have phones themselves.
export function useOwnPhones(objectType: string): Phones {
  const names = objectType === company ? ofCompanies : ofContacts;
  const { properties, isLoading, error } = useCrmProperties(names);
  return { phones: read([properties], names), isLoading, error };
}

// Deals and tickets have contacts who do.
export function useContactsPhones(): Phones {
  const request = { toObjectType: contact, properties: ofContacts, pageLength: 10 };
  const { results, isLoading, error } = useAssociations(request);
  const contacts = results.map((result) => result.properties);
  return { phones: read(contacts, ofContacts), isLoading, error };
}

export function hasPhones(objectType: string): boolean {
  return objectType === contact || objectType === company;
}
