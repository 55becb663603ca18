<?php
// The entry point: leads the agent who clicked to the chat with the record's client.

if (!defined('sugarEntry') || !sugarEntry) {
    die('Not A Valid Entry Point');
}

require_once 'custom/openchat/chat_url.php';
require_once 'custom/openchat/click.php';

global $current_user, $sugar_config;

try {
    $address = open_chat_click($_GET, $current_user, $sugar_config['open_chat'] ?? []);
} catch (OpenChatRefusal $refusal) {
    header('Content-Type: text/plain; charset=utf-8', true, 400);
    die($refusal->getMessage());
}
// SugarApplication::redirect answers 301, which a browser may keep: a pass is good once.
header('Cache-Control: no-store');
header('Location: ' . $address, true, 302);
exit;
