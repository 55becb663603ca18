<?php
// From a click to the address of the chat.

/** A click that leads nowhere; the message is for the agent or the administrator. */
class OpenChatRefusal extends Exception
{
}

/** Modules with the button, and their fields for a phone, the best first. */
const OPEN_CHAT_PHONES = [
    'Contacts' => ['phone_mobile', 'phone_work', 'phone_home', 'phone_other'],
    'Leads' => ['phone_mobile', 'phone_work', 'phone_home', 'phone_other'],
    'Prospects' => ['phone_mobile', 'phone_work', 'phone_home', 'phone_other'],
    'Accounts' => ['phone_office', 'phone_alternate'],
];

/** Where the service is; $sugar_config['open_chat']['url'] goes before. */
const OPEN_CHAT_URL = 'https://chat.example';

function open_chat_click(array $query, $user, array $config): string
{
    $secret = $config['secret'] ?? '';
    if (strlen($secret) < 32) {
        throw new OpenChatRefusal("Open chat is not set up yet: an administrator sets \$sugar_config['open_chat']['secret'], 32 characters or more.");
    }
    $phone = open_chat_phone(open_chat_bean($query['module'] ?? '', $query['id'] ?? ''));
    return open_chat_url($config['url'] ?? OPEN_CHAT_URL, $secret, $user->id, $phone);
}

/** The record, if this user may see it. */
function open_chat_bean($module, $id)
{
    if (!is_string($module) || !is_string($id) || !isset(OPEN_CHAT_PHONES[$module]) || $id === '') {
        throw new OpenChatRefusal('Open chat is for a record of: ' . implode(', ', array_keys(OPEN_CHAT_PHONES)) . '.');
    }
    $bean = BeanFactory::getBean($module, $id);
    // One that is not there and one that is not for this user are told apart by no answer.
    if (!$bean || empty($bean->id) || !$bean->ACLAccess('view')) {
        throw new OpenChatRefusal('There is no such record, or you may not see it.');
    }
    return $bean;
}

function open_chat_phone($bean): string
{
    foreach (OPEN_CHAT_PHONES[$bean->module_dir] as $field) {
        // SuiteCRM keeps texts with &, <, > and quotes as entities.
        $phone = trim(html_entity_decode((string) ($bean->$field ?? ''), ENT_QUOTES, 'UTF-8'));
        if ($phone !== '') {
            return $phone;
        }
    }
    throw new OpenChatRefusal('There is no phone here to open a chat with.');
}
