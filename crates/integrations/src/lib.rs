//! Tasks as calls of AWS services: one file for each optimized integration. Pure: a call goes out, an answer comes back.
