<?php
// A pass for open-chat: php sign.php OPERATOR [PHONE] prints one. Needs PHP 7.4 or later, and PASS_SECRET in the environment.

function open_chat_pass(string $secret, string $operator, ?string $phone = null, int $seconds = 600): string
{
    $base64url = fn(string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $claims = ['sub' => $operator, 'exp' => time() + $seconds];
    if (trim((string) $phone) !== '') {
        $claims['phone'] = $phone;
    }
    $signed = $base64url('{"alg":"HS256","typ":"JWT"}') . '.' . $base64url(json_encode($claims, JSON_THROW_ON_ERROR));
    return $signed . '.' . $base64url(hash_hmac('sha256', $signed, $secret, true));
}

echo open_chat_pass(getenv('PASS_SECRET'), $argv[1], $argv[2] ?? null), "\n";
